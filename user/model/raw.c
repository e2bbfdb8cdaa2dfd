// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/raw.h"

#include <stdlib.h>
#include <string.h>

void gw_raw_clear(struct gw_raw *raw)
{
	if (!raw)
		return;
	free(raw->process);
	free(raw->gil);
	free(raw->thread);
	free(raw->cpu);
	free(raw->pair);
	memset(raw, 0, sizeof(*raw));
}
