/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How processes are to be measured: what people choose. */
#ifndef GW_CHOICE_H
#define GW_CHOICE_H

enum gw_choice {
	GW_CHOICE_AUTO,	  /* probes while they fit the budget */
	GW_CHOICE_SCHED,  /* none */
	GW_CHOICE_UPROBE, /* at any rate of hits */
};

/* What probes may cost a process, as a share of its on-CPU time, unless told otherwise. */
#define GW_BUDGET_DEFAULT 0.02

#endif
