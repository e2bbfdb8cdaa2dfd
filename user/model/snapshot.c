// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/snapshot.h"

#include <stdlib.h>
#include <string.h>

static void thread_clear(struct gw_thread_view *thread)
{
	free(thread->cpu);
}

void gw_process_view_clear(struct gw_process_view *process)
{
	/* A snapshot that was only half built has counts without arrays. */
	for (size_t i = 0; process->thread && i < process->thread_count; i++)
		thread_clear(&process->thread[i]);
	free(process->thread);
	free(process->engine_change);
	free(process->cpu);
	free(process->gil);
	free(process->open);
	free(process->inflicted);
}

void gw_snapshot_clear(struct gw_snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (size_t i = 0; snapshot->process && i < snapshot->process_count; i++)
		gw_process_view_clear(&snapshot->process[i]);
	free(snapshot->process);
	memset(snapshot, 0, sizeof(*snapshot));
}
