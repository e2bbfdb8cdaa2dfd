/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the BPF programs and the user side share: the values of the maps and the records of the
 * iterator. Times are nanoseconds since the watch's epoch unless a name says otherwise.
 */
#ifndef GW_ABI_H
#define GW_ABI_H

#include "gilwatch/cell.h"
#include "gilwatch/hist.h"
#include "gilwatch/place.h"
#include "gilwatch/wait.h"

#define GW_GILS_PER_PROCESS    16
#define GW_PYTHONS_PER_PROCESS 2 /* a power of two */
#define GW_SITES_PER_PROCESS   64
#define GW_NO_SLOT	       0xffffffffU
#define GW_CPUS_KEPT	       4    /* a power of two */
#define GW_PAIRS_PER_PROCESS   2048 /* who made whom wait: all pairs of 45 threads */
#define GW_DEAD_KEPT	       64   /* threads that ended last; a power of two */

/* The slots of a process's GILs in their map. */
#define GW_GIL_SLOT(process_slot, index) ((process_slot)*GW_GILS_PER_PROCESS + (index))

/*
 * Of the sampler's clock, whose every tick is an interrupt on each CPU: 1.3 % of one at 1 ms where
 * an interrupt takes 13 us, as in a virtual machine inside another (measured on 6.18). No multiple
 * or divisor of the switch interval (5 ms) or of usual timer periods, so that the samples do not
 * march in step with what they look at.
 */
#define GW_SAMPLE_PERIOD_NS 2031013
/* While nobody who is watched runs, it is as many times longer. */
#define GW_SAMPLE_REST 10

/* Which processes are watched, as a filter by PID: one bit each, modulo its size. */
#define GW_FILTER_BITS 32768

enum gw_engine {
	GW_ENGINE_NONE, /* no GIL facts to be had: scheduler states only */
	GW_ENGINE_SCHED,
	GW_ENGINE_UPROBE,
	GW_ENGINE_OFF, /* the GIL is off: nobody has it */
};

enum gw_lost {
	GW_LOST_STORAGE, /* no memory for a thread's record: the thread is not accounted */
	GW_LOST_HIST,	 /* no memory for a histogram */
	GW_LOST_CPU,	 /* no room in the map of time by CPU */
	GW_LOST_PAIR,	 /* no room for who made others wait: in inflicted_rest */
	GW_LOST_MEMORY,	 /* the GIL's struct in the target could not be read */
	GW_LOST_WAITER,	 /* a wait that is in the thread's cells but not in W(t) */
	GW_LOST_UNSEEN,	 /* an event of a thread without a record */
	GW_LOST_PROCESS, /* no room for a child, which is not followed */
	GW_LOST_GIL,	 /* no room for another GIL of a process */
	GW_LOST_COUNT,
};

enum gw_sample {
	GW_SAMPLE_HELD,
	GW_SAMPLE_RELEASED,
	GW_SAMPLE_COUNT,
};

/* What the holder of the GIL did while others waited: a gw_where, or this. */
#define GW_BY_NOBODY GW_WHERE_COUNT
#define GW_BY_COUNT  (GW_WHERE_COUNT + 1)

/*
 * Everything of a thread that adds up: at its end it is folded, word by word, into its process.
 * Only
 * __u64 in here.
 */
struct gw_tally {
	struct gw_cells cells;
	__u64 samples[GW_SAMPLE_COUNT]; /* of the pool GW_GIL_SAMPLED, in ticks that each stands for
					 */
	__u64 sample_squares;		/* sum of the squares of the same */
	__u64 handover_ns; /* part of waiting: after a forced release, until it runs again */
	__u64 waits;
	__u64 wakes;
	__u64 acquisitions;
	__u64 releases;
	__u64 forced_releases;
	__u64 inflicted_ns;
	__u64 migrations[GW_DISTANCE_COUNT];
	__u64 resume_runqueue_ns;
	__u64 resume_gil_ns;
	__u64 delay_asked_ns;  /* of sleeps: what was asked for … */
	__u64 delay_actual_ns; /* … and what passed from the release to the next acquisition */
	__u64 delays;
	__u64 corrected;
	__u64 yielded_ns;  /* part of runnable: after it gave its CPU away by itself */
	__u64 yield_ticks; /* of the sampler's clock, that found it on a CPU doing so */
	__u64 polls;	   /* blocks in poll */
	__u64 stalls;	   /* stretches on the CPU between two of them that were too long … */
	__u64 stalled_ns;  /* … and their sum */
};

#define GW_TALLY_WORDS (sizeof(struct gw_tally) / sizeof(__u64))

enum gw_thread_flags {
	GW_THREAD_IN_W = 1,   /* counted as a waiter in its GIL's W(t) */
	GW_THREAD_SLEEPS = 2, /* sleep_from_ns and sleep_asked_ns are valid */
	GW_THREAD_DEAD = 4,
	GW_THREAD_IN_OVERLAP = 8, /* counted as blocked in its process's overlap */
	GW_THREAD_HOLD_CUT = 16,  /* nobody saw the hold begin: hold_since_ns is too late */
	GW_THREAD_YIELDED = 32,	  /* runnable because it gave its CPU away */
};

/* A thread's record. */
struct gw_thread {
	struct gw_tally tally;
	gw_span span;
	__u64 start_ns; /* when the watch of this thread began */
	__u32 tgid;
	__u32 tid;
	__u32 process; /* slot in the map of processes */
	__u32 gil;     /* slot in the map of GILs: the one it used last; GW_NO_SLOT */
	__u64 fs_base; /* glibc's pthread_self(); 0: it has none yet */
	__u32 cpu;     /* where it runs or ran last */
	__u32 flags;
	__u64 run_since_ns;
	/* Time on CPUs that is not in the map by CPU yet (cpus.h), and on which. */
	__u64 cpu_ns[GW_CPUS_KEPT];
	__u32 cpu_kept[GW_CPUS_KEPT];
	__u64 cpu_seen;	     /* bit n: has time in that map for a CPU with number % 64 == n */
	__u64 wait_since_ns; /* first block of the wait that goes on; 0: none */
	__u64 wait_w_ns;     /* its start in W(t) */
	__u64 wait_block_ns; /* start of the part of the wait whose holder is wait_holder */
	__u64 wait_switch_number;
	__u32 wait_holder; /* tid, 0: nobody */
	__u32 wait_gil;	   /* slot of the GIL that it waits for */
	__u64 wait_end_ns; /* sched engine: switch-in that ended the wait if it is not resumed */
	__u64 handover_since_ns; /* blocked after a forced release; 0: not */
	__u64 hold_since_ns;
	__u64 release_ns;	   /* last release seen by a probe */
	__u64 wake_ns;		   /* wake-up whose resume has not ended; 0: none */
	__u64 resume_candidate_ns; /* sched engine: first switch-in after the last wait */
	__u64 resume_runqueue_ns;
	__u64 resume_gil_ns;
	__u64 sleep_from_ns;
	__u64 sleep_asked_ns;
	__u64 slice_samples[GW_SAMPLE_COUNT]; /* since the last switch-in */
	__u64 slice_squares;
	__u64 sample_ns;    /* when it was sampled last */
	__u64 loop_from_ns; /* time on the CPU as it was last blocked in poll */
	__u64 loop_longest_ns;
	__u64 evidence_ns; /* uprobe engine: the last hit, or look at the GIL */
};

/* All that is kept of a thread, in its task's local storage. The record comes first. */
struct gw_books {
	struct gw_thread thread;
	struct gw_hist hold, wait, resume;
};

/* A GIL. While it is held only its holder's events write here, but for the waiters' words. */
struct gw_gil_state {
	__u64 address; /* in the target; 0: free slot */
	__u32 process;
	__u32 holder_tid; /* last one */
	__u32 holder_cpu; /* of the last acquisition */
	__u32 holder;	  /* what the holder does: a gw_where, or GW_BY_NOBODY */
	__u32 seen_tid;	  /* the thread that was last known to hold it … */
	__u32 python;	  /* whose it is: its layout in the process */
	__u64 seen_ns;	  /* … and when */
	struct gw_waiters waiters;
	__u32 most_waiting; /* at once; kept by the user side, from what it takes of waiters.most */
	__u32 most_lately;  /* the same since the last look that was shown */
	__u64 booked_ns;    /* W up to which by_holder_ns is booked */
	__u64 by_holder_ns[GW_BY_COUNT];
	__u64 held_ns; /* of holds that probes saw end; without probes, of holders off the CPU … */
	__u64 held_ticks; /* … and ticks of the sampler's clock that found it held by a running
			     thread */
	__u64 exact_before_ns; /* its process's time under probes before it was known */
	__u64 acquisitions;
	__u64 releases;
	__u64 forced_releases;
	__u64 holder_changes;
	__u64 handovers[GW_DISTANCE_COUNT];
};

/* Time in which any thread of a process was blocked in I/O or sleep: overlap.h. */
struct gw_overlap {
	__u64 word; /* number of them << 48 | since when, in units of 64 ns modulo 2^48 */
	__u64 done_ns;
};

/* Offsets into the target's structures, in bytes; negative: there is none. */
struct gw_layout {
	__s32 gil_last_holder; /* followed by locked (int) at + 8 and switch_number at + 16 */
	__s32 gil_cond;
	__s32 gil_switch_cond;
	__s32 gil_size;
	__s32 tstate_interp;
	__s32 tstate_thread_id;
	__s32 interp_drop_request;  /* 3.9 - 3.12 */
	__s32 tstate_eval_breaker;  /* 3.13+: bit 0 */
	__u64 runtime_drop_request; /* 3.8: its address; else 0 */
};

enum gw_process_flags {
	GW_PROCESS_EXITED = 1,
	GW_PROCESS_EXECED = 2,
};

/* How a process came to be watched. */
enum gw_origin {
	GW_ORIGIN_NONE,	    /* a free slot */
	GW_ORIGIN_SELECTED, /* the user side asked for it */
	GW_ORIGIN_FORK,	    /* child with a copy of its parent's memory, and so with its GILs */
	GW_ORIGIN_SPAWN, /* child in its parent's memory (vfork) until it becomes another program */
	GW_ORIGIN_EXEC,	 /* a watched process has become another program */
};

/*
 * A process: what to watch (written by the user side, but for children and other programs, whose
 * slots BPF takes), and what its dead left.
 */
struct gw_process {
	__u32 origin; /* gw_origin; written last */
	__u32 tgid;
	__u32 pid;	       /* as the user side sees it: in its PID namespace */
	__u32 parent_slot;     /* of the process it was before, or of its parent; GW_NO_SLOT */
	__u32 parent_pid;      /* as the user side sees it; 0 for the selected */
	__u32 execs;	       /* programs that it became since it has this slot */
	__u64 start_ns;	       /* when the watch of it began */
	__u32 engine;	       /* gw_engine; the user side may change it while counting */
	__u32 probed;	       /* it has had probes */
	__u64 engine_since_ns; /* when it last changed */
	__u64 exact_ns;	       /* time under probes before that */
	__u32 windows;	       /* how often it had probes for a moment only */
	__u32 pooled;	       /* it has, or had last, probes for such a moment */
	__u64 hits_alarm;      /* the user side is told of that hit */
	__u32 flags;
	__u32 gil_count;
	__u64 gil_address[GW_GILS_PER_PROCESS];
	__u32 gil_python[GW_GILS_PER_PROCESS]; /* which of the layouts is its */
	struct gw_layout layout[GW_PYTHONS_PER_PROCESS];
	__u32 site_count;
	__u32 seeded;			  /* all its threads have records: one without is a loss */
	__u32 parent_execs;		  /* its parent's execs as it was forked */
	__u32 threads_kept;		  /* of threads_ended: those whose records are kept */
	__u64 site[GW_SITES_PER_PROCESS]; /* addresses of the probed instructions */
	__u64 ended_at_ns;		  /* exit or exec: nothing is counted after it */
	__u64 threads_started;
	__u64 threads_ended;
	__u64 ended_wall_ns;
	__u64 gils_ended;		/* that have gone, and given their places to others … */
	struct gw_gil_state ended_gils; /* … what they add up to; only sums are set */
	struct gw_tally ended;
	__u64 inflicted_rest_ns;
	__u64 pair_count; /* entries of this process in the map of pairs */
	/* Those that ended last, a ring: who waited for one of them may learn of it later. */
	__u32 dead[GW_DEAD_KEPT];
	__u32 dead_next, dead_padding;
	__u64 hits;
	__u64 first_run_ns; /* when a thread of it first ran, of one that was made by fork */
	struct gw_overlap overlap;
	/*
	 * Switches to a thread that no tracepoint told of, noticed by the sampler at its next tick.
	 * Seen on a 6.18 with the host's patches, after the switch from its agent's threads.
	 */
	__u64 missed_switches;
	__u64 lost[GW_LOST_COUNT];
};

struct gw_cpu_key {
	__u32 process; /* slot */
	__u32 tid;     /* 0: all threads that ended */
	__u32 start;   /* low bits of the thread's start, which tells a reused tid */
	__u32 cpu;
};

/* Of a thread that has ended and whose books are kept. */
struct gw_kept_key {
	__u32 process; /* slot */
	__u32 tid;
	__u32 start; /* as above */
};

/*
 * Histograms that are of no single thread, kept where there is something in them.
 *
 * Of the threads of a process (its slot) that have ended; and of a GIL (its slot) that is not its
 * process's first. Those of the first one are what is left of all threads', so that a process with
 * a single GIL pays nothing for this; its slot stands for all GILs that have gone.
 */
enum gw_sum {
	GW_SUM_ENDED_HOLD,
	GW_SUM_ENDED_WAIT,
	GW_SUM_ENDED_RESUME,
	GW_SUM_GIL_HOLD,
	GW_SUM_GIL_WAIT,
	GW_SUM_COUNT,
};

struct gw_sum_key {
	__u32 which; /* gw_sum */
	__u32 slot;
};

#define GW_COMM_SIZE 16

struct gw_comm {
	char text[GW_COMM_SIZE];
};

struct gw_pair_key {
	__u32 process; /* slot */
	__u32 by;      /* tid; 0: nobody */
	__u32 on;      /* tid; 0: all for which there is no entry of their own */
};

struct gw_self_key {
	__u64 fs_base;
	__u32 tgid;
	__u32 padding;
};

/* Of a histogram in the iterator's record: this, then the buckets of the octaves that it names. */
struct gw_hist_head {
	__u64 sum_ns;
	__u64 max_ns;
	__u32 octaves;
	__u32 padding;
};

/* The iterator's record of one thread: this, then its histograms, in the order of gw_books. */
struct gw_record {
	__u32 size; /* of this struct: a reader built with another one notices */
	__u32 padding;
	char comm[16];
	struct gw_thread thread;
};

/* What the iterator is to do at a thread. */
enum gw_pass {
	GW_PASS_SETTLE, /* decide what a thread holds that has not run since */
	GW_PASS_READ,
	GW_PASS_NAMES,	/* write a struct gw_name for each process */
	GW_PASS_FORGET, /* take the records of a process's threads away */
};

/* A process that has become another program. */
struct gw_newcomer_event {
	__u32 pid; /* in the PID namespace of the user side */
	char comm[16];
};

/* A process by its two names. */
struct gw_name {
	__u32 tgid; /* the kernel's, as programs see it */
	__u32 pid;  /* in the PID namespace of the user side */
};

gw_static_assert(sizeof(struct gw_tally) % sizeof(__u64) == 0, "a tally is folded by words");
/*
 * The kernel's own part of an element, struct bpf_local_storage_elem, is of some 80 bytes; and its
 * caches of small allocations end with 8 KiB (KMALLOC_MAX_CACHE_SIZE, in pages of 4 KiB).
 */
gw_static_assert(sizeof(struct gw_books) <= 8192 - 256, "with its head, it fits 8 KiB");
gw_static_assert(sizeof(struct gw_pair_key) == 12, "no padding in keys");

#endif
