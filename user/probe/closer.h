/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Closes in the background what the kernel takes its time for: before the close of a link to probes
 * returns, it waits for all CPUs more than once (a multi link 15 to 30 ms, a perf event 100 ms,
 * seen on 6.18). Those waits go side by side in threads.
 */
#ifndef GW_CLOSER_H
#define GW_CLOSER_H

struct gw_closer;

/* NULL: out of memory. */
struct gw_closer *gw_closer_new(void);

/*
 * Takes `what` over, and has it closed by close(what). Where no thread can be had that is done
 * before this returns.
 */
void gw_closer_give(struct gw_closer *closer, void (*close)(void *what), void *what);

/* Waits until all that was given is closed. */
void gw_closer_drain(struct gw_closer *closer);

/* Drains and frees; accepts NULL. */
void gw_closer_free(struct gw_closer *closer);

#endif
