// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe/calibrate.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe/own_code.h"

/* The shortest of some batches is one that nothing else got into the way of. */
#define BATCHES	    16
#define BATCH_CALLS 64
/*
 * The child is no watched process, so that the program leaves it early. With its whole body a hit
 * takes that much longer: 0.68 us against 0.52 us of a thread's CPU time on a virtual machine.
 */
#define BODY_PERCENT 130

#define GUESS_HIT_NS	1000
#define GUESS_ATTACH_NS 1000000

/*
 * The probed instruction is a call, as those in CPython are: what a hit costs depends on whether
 * the kernel emulates the instruction.
 */
#ifdef __x86_64__
__asm__(".pushsection .text\n"
	".type gw_calibrate_site, @function\n"
	"gw_calibrate_site:\n"
	"	call 1f\n"
	"	ret\n"
	"1:	ret\n"
	".size gw_calibrate_site, . - gw_calibrate_site\n"
	".popsection\n");
extern void gw_calibrate_site(void) __attribute__((visibility("hidden")));
#else
__attribute__((noinline)) static void gw_calibrate_site(void)
{
	__asm__ volatile("" ::: "memory");
}
#endif

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

static void child(int from_parent, volatile uint64_t *shortest_ns)
{
	uint64_t shortest = UINT64_MAX;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(from_parent, &byte, 1) != 1)
		_exit(1);
	for (int i = 0; i < BATCHES; i++) {
		uint64_t start = clock_ns(CLOCK_MONOTONIC), took;

		for (int j = 0; j < BATCH_CALLS; j++)
			gw_calibrate_site();
		took = clock_ns(CLOCK_MONOTONIC) - start;
		if (took < shortest)
			shortest = took;
	}
	*shortest_ns = shortest;
	_exit(0);
}

static pid_t start_child(int *go, volatile uint64_t *shortest_ns)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		return -1;
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		child(ends[0], shortest_ns);
	}
	close(ends[0]);
	*go = ends[1];
	return pid;
}

static struct gw_uprobes *attach(const struct gw_uprobe_program *program, pid_t pid,
				 struct gw_probe_cost *cost)
{
	uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	struct gw_sites sites = {.count = 1};
	struct gw_uprobes *uprobes;
	struct gw_error ignored;

	if (gw_own_code_offset((uintptr_t)gw_calibrate_site, &sites.site[0].file_offset) ||
	    gw_uprobes_attach(program, pid, GW_OWN_FILE, &sites, &uprobes, &ignored))
		return NULL;
	cost->attach_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
	return uprobes;
}

void gw_probe_cost_guess(struct gw_probe_cost *cost)
{
	*cost = (struct gw_probe_cost){.hit_ns = GUESS_HIT_NS, .attach_ns = GUESS_ATTACH_NS};
}

static void measure(const struct gw_uprobe_program *program, struct gw_closer *closer,
		    volatile uint64_t *shortest_ns, struct gw_probe_cost *cost)
{
	int go = -1;
	pid_t pid = start_child(&go, shortest_ns);
	struct gw_uprobes *uprobes = pid > 0 ? attach(program, pid, cost) : NULL;

	if (uprobes && write(go, "", 1) == 1)
		waitpid(pid, NULL, 0);
	else if (pid > 0 && !kill(pid, SIGKILL))
		waitpid(pid, NULL, 0);
	if (go >= 0)
		close(go);
	if (uprobes)
		gw_uprobes_free_later(uprobes, closer, NULL);
	if (!*shortest_ns)
		return;
	cost->hit_ns = *shortest_ns / BATCH_CALLS * BODY_PERCENT / 100;
	cost->measured = 1;
}

void gw_calibrate(const struct gw_uprobe_program *program, struct gw_closer *closer,
		  struct gw_probe_cost *cost)
{
	long page = sysconf(_SC_PAGESIZE);
	void *shared =
		mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	gw_probe_cost_guess(cost);
	if (shared == MAP_FAILED)
		return;
	measure(program, closer, shared, cost);
	munmap(shared, (size_t)page);
}
