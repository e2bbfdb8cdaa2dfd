/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The thresholds of the verdicts, each with the reason for its value. They keep clear of values
 * that programs take by nature: n - 1 waiting threads, one whole CPU, one switch interval. T is the
 * window. docs/verdicts.md tells the same to users: change both.
 */
#ifndef GW_VERDICT_THRESHOLDS_H
#define GW_VERDICT_THRESHOLDS_H

#define GW_SECOND_NS	  1000000000LL
#define GW_MILLISECOND_NS 1000000LL

/*
 * In a view that judges again and again, how far beyond its thresholds a verdict that is shown
 * stays: shares of an interval of one second play by some percent.
 */
#define GW_EASE 0.20

/* -- When there is anything to judge -------------------------------------------------------- */

/*
 * T below this is not judged: about 200 intervals of 5 ms are the least that makes shares steady. A
 * little below a second, which is what people ask for and what clocks make 0.999 s of.
 */
#define GW_WINDOW_MIN_NS (950 * GW_MILLISECOND_NS)
/* What is told instead. */
#define GW_WINDOW_ADVISED_NS GW_SECOND_NS
/* Process on a CPU for less than this share of T did no work; timers and signals alone reach 0.1 %.
 */
#define GW_IDLE_CPU 0.01
/* … unless it woke this often: enough for a median and for the tail of a distribution to be told.
 */
#define GW_WORK_WAKES 20
/* GIL state unknown for this share of the active threads' time: the known rest is a minority. */
#define GW_UNKNOWN_SHARE 0.50

/* -- Parked threads, which leave every denominator ------------------------------------------- */

/* Less on-CPU time than this share of its wall … (a worker idle in Queue.get has under 0.1 %) */
#define GW_PARKED_CPU 0.01
/* … and fewer wake-ups a second than this: housekeeping threads wake once a second. */
#define GW_PARKED_WAKES_PER_S 2.0
/*
 * A thread that waits for the GIL or a CPU, or keeps the GIL while off the CPU, for this share of
 * its wall is not parked however little it ran. A rare waker beside four busy threads reaches 4 %
 * (2 wake-ups a second, 20 ms each).
 */
#define GW_PARKED_WANTS 0.10

/* -- The GIL ---------------------------------------------------------------------------------- */

/* Waiting for a running holder, or for nobody. Two threads in contention give 1.0 by nature. */
#define GW_GIL_BOUND_WAIT     0.30
#define GW_GIL_BOUND_CRITICAL 0.75
/* Contending threads hold it 95 % and more; below 70 % the queue comes from bursts, not from load.
 */
#define GW_GIL_BOUND_HELD 0.70
/*
 * Where all but one thread hold it less than this share of the held time, one thread's lateness is
 * the matter, not throughput: a heartbeat beside one busy thread holds 1 to 2 %. Two equals hold 50
 * %.
 */
#define GW_GIL_BOUND_OTHERS 0.05

/* Loss by a holder that is blocked. Releasing the GIL there is always right, so little is enough;
 * page faults of a healthy program stay below 1 %. */
#define GW_HELD_BLOCKED		 0.02
#define GW_HELD_BLOCKED_CRITICAL 0.20
/* Loss by a preempted holder; a busy host preempts a holder for 1 to 2 % of the time by nature. */
#define GW_HELD_STARVED 0.05

/* A hold that is still open: long calls of healthy programs end within seconds. */
#define GW_STUCK_MIN_NS (5 * GW_SECOND_NS)
#define GW_STUCK_WINDOW 0.50
/*
 * A long hold, and a wait that shows one, in switch intervals: a holder that runs bytecode gives
 * way after one interval (two on a loaded host), so ten are out of its reach.
 */
#define GW_LONG_INTERVALS 10
/* By nature even a hold that gives way when asked costs each waiter up to an interval; allow two.
 */
#define GW_LONG_ALLOWED_INTERVALS 2
#define GW_LONG_LOSS		  0.01
/* As for a blocked holder: a fifth of a thread is lost to it. */
#define GW_LONG_LOSS_CRITICAL 0.20

/* CPython's default (sys.setswitchinterval), for a GIL whose interval could not be read. */
#define GW_INTERVAL_DEFAULT_NS (5 * GW_MILLISECOND_NS)

/* Resumes, or sleeps of a delay ratio, that a percentile or a mean needs. */
#define GW_LATE_RESUMES 20
/* A 1 ms sleep alone takes 1.06 ms (timer slack, wake-up); beside one busy thread it takes 6 ms. */
#define GW_LATE_DELAY_RATIO 1.5
/*
 * The ratio was set for sleeps of about 1 ms, where 1.5 means 0.5 ms too late. Short sleeps reach
 * it by timer slack alone, so the GIL must take half of that on average.
 */
#define GW_LATE_MEAN_NS (GW_MILLISECOND_NS / 4)
/* The GIL's part of the 99th percentile; one interval is natural beside a busy thread, so half. */
#define GW_LATE_INTERVALS 0.5
/*
 * … of fewer than 200 resumes, of the third longest: one or two late ones come by chance, and two
 * are the 99th percentile of 20. A parent that forks now and then, with its threads behind it.
 */
#define GW_LATE_BY_CHANCE 2
/* The GIL's part of all resume time: below, CPUs are the cause and not the GIL. */
#define GW_LATE_GIL_SHARE 0.50

/* Far above the default: a waiter's wait of that length is noticed by people. */
#define GW_INTERVAL_LONG_NS (20 * GW_MILLISECOND_NS)
/* A fifth of the default and less, and then so many that hand-overs cost some percent of a CPU. */
#define GW_INTERVAL_SHORT_NS	    (GW_MILLISECOND_NS)
#define GW_INTERVAL_GIVE_WAYS_PER_S 1000.0

/* Of a phase, under probes: then what they counted is told of the phase. */
#define GW_INTERVAL_EXACT 0.90

/* Hand-overs between CPUs without a common cache, of all. Schedulers keep below it where they can.
 */
#define GW_HOPS_FAR 0.10
/* Each costs some microseconds of cache misses: below a thousand a second, less than 1 %. */
#define GW_HOPS_PER_S 1000.0

/* Locks, of the active threads' time: worth a word where there is no GIL. Idle queues reach more.
 */
#define GW_FREE_LOCK 0.10

/* -- CPUs ---------------------------------------------------------------------------------------
 */

/* Runnable of (runnable + on-CPU). A host with spare CPUs stays below 0.05; 3 on 2 CPUs give 0.33.
 */
#define GW_STARVED	    0.15
#define GW_STARVED_CRITICAL 0.40
/*
 * … and at least this share of T in total: wake-up latency of a thread that sleeps 1,000 times a
 * second is 0.05 T and half of what it wants a CPU for, with nobody starved.
 */
#define GW_STARVED_MIN 0.10
/* A wake-up takes tens of microseconds until the thread is on a CPU, on a virtual machine up to 50.
 */
#define GW_WAKE_LATENCY_NS 50000LL
/* Throttled for this share of T: the quota is the cause. One period of 100 ms in 2 s just reaches
 * it. */
#define GW_THROTTLED 0.05
/* Under a quota that throttles, there is no mistaking it for wake-up latency. */
#define GW_STARVED_MIN_QUOTA 0.05
/*
 * Usable CPUs have to exceed those used by this much before processes are advised. Below, a split
 * gains less than it costs. 0.5 itself is natural (a quota of 1.5 with one CPU used) and has room.
 */
#define GW_SPARE_CPUS 0.40

/* One thread on a CPU for this share of T: kernel housekeeping and short I/O take some percent. */
#define GW_SINGLE_CPU 0.80
/* Threads waiting for the GIL on average; a background thread that wakes ten times a second: 0.05.
 */
#define GW_SINGLE_WAITERS 0.10

/* CPUs' worth of code without the GIL: 1.0 is natural for one such thread, 1.2 needs two at once.
 */
#define GW_NATIVE_CPUS 1.20
/* GIL wait of (on-CPU + held off + GIL wait): threads that share it well stay in single digits. */
#define GW_NATIVE_WAIT 0.10

/* -- Waiting for other things ---------------------------------------------------------------------
 */

/* Of the active threads' wall. Two threads that take turns give 0.5, so below that. */
#define GW_LOCK_SHARE 0.30
/* Wake-ups a second from it: workers that wait for work to come wake more rarely when idle. */
#define GW_LOCK_WAKES_PER_S 10.0

/* Blocks in poll of an event loop: a program that waits for a thing or two with poll has fewer. */
#define GW_LOOP_POLLS 4

/* I/O and sleep, of the active threads' wall: at 70 % one CPU serves three such threads and more.
 */
#define GW_IO_SHARE 0.70
#define GW_IO_WAIT  0.05
/* Saved by overlapping, of T: less is the ends of two waits that touch. */
#define GW_IO_SAVED 0.02
/* Threads that wait at once: from here on their stacks and switches cost more than tasks would. */
#define GW_IO_MANY 500

/* -- Several processes ----------------------------------------------------------------------------
 */

/* Of a CPU: a process that computes; one that only feeds others stays far below. */
#define GW_FAMILY_CPU 0.50
/* All of them together, of the CPUs that they could use. A pool that is fed well reaches 0.95. */
#define GW_FAMILY_SHARE 0.80
/* And in CPUs: one is what a single process would use as well. */
#define GW_FAMILY_CPUS 1.20
/* A process that leaves the work to those it made uses less than this of a CPU. */
#define GW_FEEDER_CPU 0.10
/* Time of the workers in pipes and locks: from here on handing the work over is what costs. */
#define GW_FAMILY_WAIT 0.20

#endif
