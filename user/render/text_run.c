// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <inttypes.h>
#include <string.h>

#include "render/text_parts.h"
#include "render/units.h"

static void how_it_ended(const struct gw_run *run, char *text, size_t size)
{
	if (run->signal != GW_ABSENT_COUNT)
		snprintf(text, size, "ended by signal %" PRId64 " (%s)", run->signal,
			 strsignal((int)run->signal));
	else
		snprintf(text, size, "exit status %" PRId64, run->exit_status);
}

void gw_text_run(struct gw_page *page, const struct gw_snapshot *s)
{
	const struct gw_run *run = &s->run;
	char before[128] = "", ended[96], text[sizeof(run->file) + 512];

	how_it_ended(run, ended, sizeof(ended));
	if (!s->process_count)
		snprintf(before, sizeof(before),
			 " It ended too soon to be looked at: there are no figures.");
	else if (run->before_python_ns >= 0)
		snprintf(before, sizeof(before),
			 " Only the scheduler was seen of it until its interpreter was known, "
			 "for %s.",
			 gw_duration(run->before_python_ns).text);
	snprintf(text, sizeof(text), "%.*s%s%.*s for %s: %s.%s", (int)sizeof(run->file), run->file,
		 run->user[0] ? " as " : "", (int)sizeof(run->user), run->user,
		 gw_duration(s->elapsed_ns).text, ended, before);
	gw_page_style(page, GW_BOLD);
	fputs("Ran ", page->out);
	gw_page_style(page, GW_PLAIN);
	gw_page_hang(page, 4, text);
}
