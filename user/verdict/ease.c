// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "verdict/ease.h"

#include <string.h>

#include "verdict/thresholds.h"

static double ease_if(int shown)
{
	return shown ? 1 - GW_EASE : 1;
}

struct gw_ease gw_ease_of(const char *code, const struct gw_verdict *shown)
{
	int same = shown && !strcmp(shown->code, code);

	return (struct gw_ease){
		.fires = ease_if(same),
		.warning = ease_if(same && shown->severity >= GW_WARNING),
		.critical = ease_if(same && shown->severity >= GW_CRITICAL),
	};
}

double gw_ease_least(double ease, double threshold)
{
	return ease * threshold;
}

double gw_ease_most(double ease, double threshold)
{
	return (2 - ease) * threshold;
}
