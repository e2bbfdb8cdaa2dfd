// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "probe/features.h"
#include "probe/multi.h"
#include "probe/reader.h"
#include "probe/session_parts.h"

/*
 * Allocations of this size are mapped: what is copied of 1,000 threads. So much may lie free at the
 * heap's end: snapshots of them, which come back with the next look.
 */
#define MAPPED_FROM  (1 << 20)
#define TRIMMED_FROM (4 << 20)
/* Long enough for every program that was running as counting stopped to have ended. */
#define SETTLE_US 2000
/* What a machine can be expected to have: 10,000 threads fit on any. */
#define THREADS_PER_CPU 8192
#define THREADS_LEAST	16384
#define THREADS_MOST	(1 << 20)

/* Of threads that have ended: a thousand records are up to 7 MB of the kernel's memory. */
#define KEPT_MAX	 2048
#define KEPT_PER_PROCESS 256

/* GILs that are not their process's first, and have histograms of their own: 4 KB each. */
#define FURTHER_GILS_MAX 128

static int print_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

void gw_session_be_quiet(void)
{
	libbpf_set_print(print_nothing);
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

uint64_t gw_session_now_ns(const struct gw_session *session)
{
	return monotonic_ns() - session->epoch_ns;
}

uint64_t gw_session_epoch_ns(const struct gw_session *session)
{
	return session->epoch_ns;
}

uint64_t gw_session_start_ns(const struct gw_session *session)
{
	return session->start_ns;
}

size_t gw_session_slots(const struct gw_session *session)
{
	return session->slots;
}

const volatile struct gw_process *gw_session_process(const struct gw_session *session,
						     uint32_t slot)
{
	return &session->processes[slot];
}

const volatile struct gw_gil_state *gw_session_gil(const struct gw_session *session, uint32_t slot)
{
	return &session->gils[GW_GIL_SLOT(slot, 0)];
}

int gw_session_new(const struct gw_host *host, struct gw_session **session, struct gw_error *err)
{
	struct gw_session *new = calloc(1, sizeof(*new));

	if (!new)
		return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	new->host = host;
	*session = new;
	return 0;
}

/* ---- loading ---- */

/*
 * Room for so many entries a thread, in maps whose buckets cost memory from the start: by the size
 * of the machine, and at most as many as the map has by itself.
 */
static void size_for_threads(struct bpf_map *map, uint32_t cpus, uint32_t entries)
{
	uint64_t threads = (uint64_t)cpus * THREADS_PER_CPU;

	if (threads < THREADS_LEAST)
		threads = THREADS_LEAST;
	if (threads > THREADS_MOST)
		threads = THREADS_MOST;
	if (threads * entries < bpf_map__max_entries(map))
		bpf_map__set_max_entries(map, (uint32_t)threads * entries);
}

/*
 * Where all CPUs have their places in a thread's record, the map has those that ended alone; else
 * threads that have been on two more.
 */
static void size_cpu_times(struct gw_session *s)
{
	struct bpf_map *map = s->bpf->maps.cpu_times;

	if (s->host->cpus <= GW_CPUS_KEPT)
		bpf_map__set_max_entries(map, (uint32_t)s->slots * s->host->cpus);
	else
		size_for_threads(map, s->host->cpus, 2);
}

static void size_maps(struct gw_session *s, const struct gw_session_options *options)
{
	uint32_t slots = (uint32_t)s->slots;

	size_for_threads(s->bpf->maps.selves, s->host->cpus, 1);
	size_for_threads(s->bpf->maps.pair_sums, s->host->cpus, 1);
	size_cpu_times(s);
	bpf_map__set_max_entries(s->bpf->maps.processes, slots);
	bpf_map__set_max_entries(s->bpf->maps.targets, 2 * slots);
	bpf_map__set_max_entries(s->bpf->maps.free_slots, slots);
	bpf_map__set_max_entries(s->bpf->maps.gils, slots * GW_GILS_PER_PROCESS);
	bpf_map__set_max_entries(s->bpf->maps.sums, 3 * slots + 2 * FURTHER_GILS_MAX);
	bpf_map__set_max_entries(s->bpf->maps.places, s->host->cpus);
	if (options->pairless) {
		bpf_map__set_max_entries(s->bpf->maps.pairs, 1);
		bpf_map__set_max_entries(s->bpf->maps.pair_sums, 1);
	}
	if (!options->keep_ended)
		return;
	bpf_map__set_max_entries(s->bpf->maps.kept_threads, KEPT_MAX);
	bpf_map__set_max_entries(s->bpf->maps.kept_names, KEPT_MAX);
}

/*
 * Up to 6.0 a hash map that grows takes its memory from kmalloc, which may wake a thread: a
 * deadlock in sched_switch, where the run queue is locked. All memory in advance there, about 40
 * MB.
 */
static void allocate_in_advance(struct gw_session *s)
{
	bpf_map__set_map_flags(s->bpf->maps.selves, 0);
	bpf_map__set_map_flags(s->bpf->maps.cpu_times, 0);
	bpf_map__set_map_flags(s->bpf->maps.pairs, 0);
	bpf_map__set_map_flags(s->bpf->maps.pair_sums, 0);
	bpf_map__set_map_flags(s->bpf->maps.kept_threads, 0);
	bpf_map__set_map_flags(s->bpf->maps.kept_names, 0);
	bpf_map__set_map_flags(s->bpf->maps.sums, 0);
}

static void configure(struct gw_session *s, const struct gw_session_options *options)
{
	enum bpf_attach_type multi = (enum bpf_attach_type)GW_TRACE_UPROBE_MULTI;
	struct gw_features features;

	gw_features_read(&features);
	if (!features.map_memory)
		allocate_in_advance(s);
	s->epoch_ns = monotonic_ns() - 1;
	s->bpf->rodata->epoch_ns = s->epoch_ns;
	s->bpf->rodata->cpu_count = s->host->cpus;
	s->bpf->rodata->follow = options->followed != 0;
	s->bpf->rodata->childless = options->childless;
	s->bpf->rodata->pairless = options->pairless;
	s->bpf->rodata->tells_news = options->news;
	s->bpf->rodata->kept_per_process = options->keep_ended ? KEPT_PER_PROCESS : 0;
	s->bpf->rodata->switch_has_state = features.switch_has_state;
	s->sleeping = features.sleeping_iterator;
	bpf_program__set_autoload(s->bpf->progs.gw_on_newcomer, options->newcomers);
	bpf_map__set_autocreate(s->bpf->maps.newcomers, options->newcomers);
	bpf_program__set_autoload(s->bpf->progs.gw_on_seed, !s->sleeping);
	bpf_program__set_autoload(s->bpf->progs.gw_on_seed_sleeping, s->sleeping);
	s->probes = options->probes;
	bpf_program__set_autoload(s->bpf->progs.gw_on_hit, s->probes);
	s->multi = s->probes && gw_features_uprobe_multi(s->closer);
	if (s->multi)
		bpf_program__set_expected_attach_type(s->bpf->progs.gw_on_hit, multi);
}

static int load_refused(int code, struct gw_error *err)
{
	/* -EACCES also comes from the verifier; the capabilities have been looked at before. */
	if (code == -EPERM)
		return gw_error_set(err, code, GW_STATUS_RIGHTS,
				    "the kernel refuses to load BPF programs: gilwatch needs "
				    "CAP_BPF and CAP_PERFMON (run it with sudo), and a kernel that "
				    "is not locked down");
	return gw_error_set(err, code, GW_STATUS_KERNEL,
			    "the kernel does not take gilwatch's BPF programs (%s): it needs Linux "
			    "5.15 or newer; -v shows what the kernel says",
			    strerror(-code));
}

static void *map_array(struct bpf_map *map, size_t count, size_t entry, size_t *size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *mapped;

	*size = (count * ((entry + 7) & ~(size_t)7) + page - 1) / page * page;
	mapped = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	return mapped == MAP_FAILED ? NULL : mapped;
}

static int map_arrays(struct gw_session *s, struct gw_error *err)
{
	s->processes = map_array(s->bpf->maps.processes, s->slots, sizeof(*s->processes),
				 &s->processes_size);
	s->gils = map_array(s->bpf->maps.gils, s->slots * GW_GILS_PER_PROCESS, sizeof(*s->gils),
			    &s->gils_size);
	if (!s->processes || !s->gils)
		return gw_error_set(err, -ENOMEM, GW_STATUS_KERNEL,
				    "the kernel does not let gilwatch map its BPF maps");
	return 0;
}

int gw_session_load(struct gw_session *s, const struct gw_session_options *options,
		    struct gw_error *err)
{
	int code;

	s->slots = options->selected + options->followed;
	s->uprobes = calloc(s->slots, sizeof(*s->uprobes));
	s->closing = calloc(s->slots, sizeof(*s->closing));
	s->closer = gw_closer_new();
	s->bpf = gilwatch__open();
	if (!s->bpf || !s->uprobes || !s->closing || !s->closer)
		return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE,
				    "gilwatch cannot open its own BPF programs");
	size_maps(s, options);
	configure(s, options);
	code = gilwatch__load(s->bpf);
	if (code)
		return load_refused(code, err);
	/* libbpf had the types of the whole kernel in memory for that, some 8 MiB. */
	malloc_trim(0);
	/*
	 * What a look at many threads takes is the kernel's again at once: without this the
	 * allocator raises both limits to what was freed last, up to 64 MiB.
	 */
	mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
	mallopt(M_TRIM_THRESHOLD, TRIMMED_FROM);
	code = map_arrays(s, err);
	if (!code)
		code = gw_session_fill(s, options, err);
	return code ? code : gw_session_hear_alarms(s, err);
}

/* ---- attaching ---- */

static int attach_one(struct bpf_program *program, struct bpf_link **link, struct gw_error *err)
{
	*link = bpf_program__attach(program);
	if (*link)
		return 0;
	return gw_error_set(err, -errno, GW_STATUS_KERNEL,
			    "the kernel does not attach program %s (%s)",
			    bpf_program__name(program), strerror(errno));
}

int gw_session_attach(struct gw_session *s, struct gw_error *err)
{
	struct bpf_program *const scheduler[] = {
		s->bpf->progs.gw_on_new_task, s->bpf->progs.gw_on_exit,	  s->bpf->progs.gw_on_exec,
		s->bpf->progs.gw_on_switch,   s->bpf->progs.gw_on_wakeup,
	};
	int code = 0;

	for (size_t i = 0; !code && i < sizeof(scheduler) / sizeof(scheduler[0]); i++)
		code = attach_one(scheduler[i], &s->scheduler[i], err);
	if (!code)
		code = attach_one(s->sleeping ? s->bpf->progs.gw_on_seed_sleeping
					      : s->bpf->progs.gw_on_seed,
				  &s->seeder, err);
	if (!code)
		code = attach_one(s->bpf->progs.gw_on_thread, &s->iterator, err);
	if (!code && bpf_program__autoload(s->bpf->progs.gw_on_newcomer))
		code = attach_one(s->bpf->progs.gw_on_newcomer, &s->newcomer, err);
	if (!code && s->newcomer)
		code = gw_session_listen(s, err);
	if (!code)
		code = gw_sampler_start(s->bpf->progs.gw_on_sample, s->host->cpus, &s->sampler,
					err);
	return code;
}

void gw_session_pace_sampler(struct gw_session *s)
{
	volatile struct gilwatch__bss *shared = s->bpf->bss;

	shared->sampler_rests = gw_sampler_pace(s->sampler, gw_session_now_ns(s), shared->sampled);
}

/* ---- the beginning ---- */

int gw_session_walk(const struct bpf_link *iterator, struct gw_error *err)
{
	int code = gw_reader_run(iterator);

	if (code)
		return gw_error_set(err, code, GW_STATUS_KERNEL,
				    "the kernel does not walk its threads for gilwatch (%s)",
				    strerror(-code));
	return 0;
}

int gw_session_seed(struct gw_session *s, struct gw_error *err)
{
	int code = gw_session_walk(s->seeder, err);

	for (size_t slot = 0; slot < s->slots; slot++)
		if (s->processes[slot].origin == GW_ORIGIN_SELECTED)
			__atomic_store_n(&s->processes[slot].seeded, 1, __ATOMIC_RELEASE);
	return code;
}

static void sleep_until(uint64_t monotonic_ns)
{
	struct timespec until = {
		.tv_sec = (time_t)(monotonic_ns / 1000000000ULL),
		.tv_nsec = (long)(monotonic_ns % 1000000000ULL),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

int gw_session_activate(struct gw_session *s, uint64_t not_before_ns, struct gw_error *err)
{
	int code = 0;

	if (not_before_ns > monotonic_ns())
		sleep_until(not_before_ns);
	s->start_ns = gw_session_now_ns(s);
	for (uint32_t slot = 0; !code && slot < s->selected; slot++)
		code = gw_session_watch(s, slot, s->start_ns, err);
	return code ? code : gw_session_seed(s, err);
}

/* ---- the end ---- */

void gw_session_mark_exited(struct gw_session *s, uint32_t slot)
{
	struct gw_process *process = &s->processes[slot];

	if (process->flags)
		return;
	process->ended_at_ns = gw_session_now_ns(s);
	__atomic_store_n(&process->flags, GW_PROCESS_EXITED, __ATOMIC_RELEASE);
}

uint64_t gw_session_stop(struct gw_session *s)
{
	if (!s->stop_ns) {
		s->stop_ns = gw_session_now_ns(s);
		__atomic_store_n(&s->bpf->bss->stop_ns, s->stop_ns, __ATOMIC_RELEASE);
		usleep(SETTLE_US);
		/* They take their time, in which the last look can be taken and told. */
		gw_session_release_probes(s);
	}
	return s->stop_ns;
}

void gw_session_free(struct gw_session *s)
{
	if (!s)
		return;
	gw_sampler_free(s->sampler);
	gw_session_release_probes(s);
	gw_closer_free(s->closer);
	free(s->closing);
	free(s->uprobes);
	ring_buffer__free(s->alarms);
	for (size_t i = 0; i < sizeof(s->scheduler) / sizeof(s->scheduler[0]); i++)
		bpf_link__destroy(s->scheduler[i]);
	bpf_link__destroy(s->newcomer);
	ring_buffer__free(s->newcomers);
	bpf_link__destroy(s->seeder);
	bpf_link__destroy(s->iterator);
	if (s->processes)
		munmap(s->processes, s->processes_size);
	if (s->gils)
		munmap(s->gils, s->gils_size);
	gilwatch__destroy(s->bpf);
	free(s);
}
