/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The rules. Each returns 1 if it fires, and has then filled severity, text and evidence of a
 * verdict that came to it zeroed; it returns 0 with the verdict untouched otherwise.
 */
#ifndef GW_VERDICT_RULES_H
#define GW_VERDICT_RULES_H

#include "verdict/facts.h"

/* rules_gil.c: threads in each other's way */
int gw_rule_gil_bound(const struct gw_facts *facts, struct gw_verdict *verdict);
int gw_rule_gil_latency(const struct gw_facts *facts, struct gw_verdict *verdict);
int gw_rule_gil_hops(const struct gw_facts *facts, struct gw_verdict *verdict);

/* rules_interval.c, rules_free.c, rules_loop.c */
int gw_rule_switch_interval(const struct gw_facts *facts, struct gw_verdict *verdict);
int gw_rule_free_threaded(const struct gw_facts *facts, struct gw_verdict *verdict);
int gw_rule_gil_reenabled(const struct gw_facts *facts, struct gw_verdict *verdict);
int gw_rule_event_loop_stalled(const struct gw_facts *facts, struct gw_verdict *verdict);

/* rules_hold.c: a hold that is out of order */
int gw_rule_gil_stuck(const struct gw_facts *facts, struct gw_verdict *verdict);
int gw_rule_gil_held_blocked(const struct gw_facts *facts, struct gw_verdict *verdict);
int gw_rule_gil_held_starved(const struct gw_facts *facts, struct gw_verdict *verdict);
int gw_rule_long_holds(const struct gw_facts *facts, struct gw_verdict *verdict);
int gw_rule_long_holds_alone(const struct gw_facts *facts, struct gw_verdict *verdict);

/* rules_cpu.c */
int gw_rule_cpu_starved(const struct gw_facts *facts, struct gw_verdict *verdict);
int gw_rule_cpu_single(const struct gw_facts *facts, struct gw_verdict *verdict);
int gw_rule_native_parallel(const struct gw_facts *facts, struct gw_verdict *verdict);

/* rules_io.c: waiting for something else than the GIL */
int gw_rule_lock_bound(const struct gw_facts *facts, struct gw_verdict *verdict);
/* Whether it only waits for what the processes below it do. */
int gw_waits_for_workers(const struct gw_facts *facts);
/* Whether it mostly waits for I/O, and not for the GIL. */
int gw_waits_for_io(const struct gw_facts *facts);
int gw_rule_io_bound(const struct gw_facts *facts, struct gw_verdict *verdict);

/* rules_other.c: nothing to blame, or nothing that can be said */
int gw_rule_idle(const struct gw_facts *facts, struct gw_verdict *verdict);
int gw_rule_healthy(const struct gw_facts *facts, struct gw_verdict *verdict);
int gw_rule_insufficient_data(const struct gw_facts *facts, struct gw_verdict *verdict);
int gw_rule_cannot_measure(const struct gw_facts *facts, struct gw_verdict *verdict);
int gw_rule_ended(const struct gw_facts *facts, struct gw_verdict *verdict);

/*
 * rules_family.c: over all processes of a snapshot, each with its facts. They return 1 if they
 * fire, as the others do.
 */
int gw_rule_process_parallel(const struct gw_facts *facts, size_t count,
			     struct gw_verdict *verdict);
int gw_rule_processes_io_bound(const struct gw_facts *facts, size_t count,
			       struct gw_verdict *verdict);

#endif
