// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tries the uprobe multi link on a child of our own. Up to 6.10 its process filter compared the
 * thread, so that only the main thread's hits counted: the child calls the probed function from
 * another thread.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe/features.h"
#include "probe/multi.h"
#include "probe/own_code.h"

#define TRIAL_CALLS 8

struct trial {
	int map, program, link;
	pid_t child;
	int go; /* write end: the child begins when a byte comes */
};

/* The probed function: never inlined, and something the compiler has to keep. */
__attribute__((noinline)) static void trial_site(void)
{
	__asm__ volatile("" ::: "memory");
}

static void *trial_thread(void *unused)
{
	for (int i = 0; i < TRIAL_CALLS; i++)
		trial_site();
	return unused;
}

/* A program that counts its hits in the one value of an array map. */
static int load_counter(int map)
{
	LIBBPF_OPTS(bpf_prog_load_opts, options,
		    .expected_attach_type = (enum bpf_attach_type)GW_TRACE_UPROBE_MULTI);
	struct bpf_insn code[] = {
		{.code = BPF_LD | BPF_DW | BPF_IMM,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_PSEUDO_MAP_VALUE,
		 .imm = map},
		{.imm = 0},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 1},
		{.code = BPF_STX | BPF_ATOMIC | BPF_DW,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_REG_2,
		 .imm = BPF_ADD},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, "gw_trial", "Dual BSD/GPL", code,
			     sizeof(code) / sizeof(code[0]), &options);
}

static void trial_child(int from_parent)
{
	pthread_t thread;
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(from_parent, &byte, 1) == 1 && !pthread_create(&thread, NULL, trial_thread, NULL))
		pthread_join(thread, NULL);
	_exit(0);
}

static int trial_start(struct trial *trial)
{
	uint64_t offset;
	int ends[2];

	if (gw_own_code_offset((uintptr_t)trial_site, &offset) || pipe(ends))
		return -1;
	trial->child = fork();
	if (trial->child == 0) {
		close(ends[1]);
		trial_child(ends[0]);
	}
	close(ends[0]);
	trial->go = ends[1];
	if (trial->child < 0)
		return -1;
	trial->map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "gw_trial", 4, 8, 1, NULL);
	trial->program = trial->map < 0 ? -1 : load_counter(trial->map);
	if (trial->program < 0)
		return -1;
	trial->link = gw_multi_attach(trial->program, GW_OWN_FILE, &offset, 1, trial->child);
	return trial->link < 0 ? -1 : 0;
}

static void close_link(void *link)
{
	close((int)(intptr_t)link);
}

static void trial_end(struct trial *trial, struct gw_closer *closer)
{
	int fds[] = {trial->go, trial->program, trial->map};

	if (trial->child > 0) {
		kill(trial->child, SIGKILL);
		waitpid(trial->child, NULL, 0);
	}
	if (trial->link >= 0 && closer)
		gw_closer_give(closer, close_link, (void *)(intptr_t)trial->link);
	else if (trial->link >= 0)
		close(trial->link);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

int gw_features_uprobe_multi(struct gw_closer *closer)
{
	struct trial trial = {.map = -1, .program = -1, .link = -1, .child = -1, .go = -1};
	uint64_t hits = 0;
	uint32_t key = 0;

	if (!trial_start(&trial) && write(trial.go, "", 1) == 1) {
		waitpid(trial.child, NULL, 0);
		trial.child = -1;
		bpf_map_lookup_elem(trial.map, &key, &hits);
	}
	trial_end(&trial, closer);
	return hits == TRIAL_CALLS;
}
