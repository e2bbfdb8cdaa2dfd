// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "render/doctor.h"
#include "render/names.h"
#include "render/text_page.h"
#include "render/units.h"

#define MARK_WIDTH    5
#define NAME_WIDTH    25
#define ENGINE_WIDTH  6
#define STATES_SIZE   1024
#define SITES_SIZE    1024
#define TARGET_INDENT 9

/* A row that begins with a mark and a name of our own; text is wrapped beside them. */
static void write_row(struct gw_page *page, enum gw_style style, const char *mark, const char *name,
		      int name_width, const char *text)
{
	gw_page_style(page, style);
	fprintf(page->out, "%-*s", MARK_WIDTH, mark);
	gw_page_style(page, GW_PLAIN);
	if (text[0]) {
		fprintf(page->out, "%-*s ", name_width, name);
		gw_page_hang(page, MARK_WIDTH + name_width + 1, text);
	} else {
		fprintf(page->out, "%s\n", name);
	}
}

static void write_check(struct gw_page *page, const struct gw_check *check)
{
	static const struct {
		const char *text;
		enum gw_style style;
	} marks[] = {
		[GW_CHECK_OK] = {"ok", GW_GREEN},
		[GW_CHECK_NO] = {"NO", GW_RED},
		[GW_CHECK_NOTE] = {"note", GW_YELLOW},
	};

	write_row(page, marks[check->result].style, marks[check->result].text, check->name,
		  NAME_WIDTH, check->found);
	if (check->way_out[0])
		gw_page_print(page, "     -> ", MARK_WIDTH + 3, "%s", check->way_out);
}

static void write_python(struct gw_page *page, const struct gw_python_facts *python)
{
	gw_page_print(page, "  python ", TARGET_INDENT, "%s %s%s%s%s", python->implementation,
		      python->version[0] ? python->version : "of an unknown version",
		      python->free_threaded > 0	   ? ", free-threaded build"
		      : python->free_threaded == 0 ? ", default build"
						   : "",
		      python->shared > 0    ? ", a shared library"
		      : python->shared == 0 ? ", static"
					    : "",
		      python->gil_enabled > 0	 ? "; the GIL is on"
		      : python->gil_enabled == 0 ? "; the GIL is off"
						 : "");
	if (python->untested)
		gw_page_print(page, "         ", TARGET_INDENT, "%s",
			      "newer than gilwatch: it is read as it describes itself");
	if (python->file[0])
		gw_page_print(page, "  file   ", TARGET_INDENT, "%s, build-id %s", python->file,
			      python->build_id[0] ? python->build_id : "none");
}

static void list_offsets(char *text, size_t size, const uint64_t *offset, size_t count)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%#" PRIx64, i ? " " : "",
					 offset[i]);
}

static void write_sites(struct gw_page *page, const struct gw_doctor_sites *sites)
{
	char text[SITES_SIZE];

	if (sites->code == -ENODATA)
		return;
	if (sites->code) {
		gw_page_print(page, "  sites  ", TARGET_INDENT, "none: %s", sites->because);
		return;
	}
	gw_page_print(page, "  sites  ", TARGET_INDENT,
		      "found by %s: %zu where the GIL is taken, %zu where it is released (offsets "
		      "in the file)",
		      sites->how, sites->acquire_count, sites->release_count);
	list_offsets(text, sizeof(text), sites->acquire, sites->acquire_count);
	gw_page_print(page, "         ", TARGET_INDENT, "taken: %s", text);
	list_offsets(text, sizeof(text), sites->release, sites->release_count);
	gw_page_print(page, "         ", TARGET_INDENT, "released: %s", text);
}

static void list_states(const struct gw_states *states, int64_t wall_ns, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < GW_STATE_COUNT && used < size; i++)
		if (states->ns[i] > 0)
			used += (size_t)snprintf(text + used, size - used, "%s%s %s %%",
						 used ? ", " : "", gw_name(&gw_state_names, i),
						 gw_percent(states->ns[i], wall_ns).text);
}

static void write_trial(struct gw_page *page, const struct gw_doctor_target *target)
{
	const struct gw_process_view *process = target->trial.process;
	char text[STATES_SIZE];

	if (!target->tried) {
		gw_page_print(page, "  trial  ", TARGET_INDENT, "none: %s", target->trial_because);
		return;
	}
	list_states(&process->states, process->threads_wall_ns, text, sizeof(text));
	gw_page_print(page, "  trial  ", TARGET_INDENT,
		      "%s with the sched engine (no probes, so no hits to count), %zu threads: %s",
		      gw_duration_short(process->elapsed_ns).text, process->thread_count,
		      text[0] ? text : "nothing seen");
	gw_page_print(page, "         ", TARGET_INDENT,
		      "states add up to %s of %s wall time; lost events: %" PRIu64
		      ", corrected: %" PRIu64,
		      gw_duration(process->cells_ns).text,
		      gw_duration(process->threads_wall_ns).text, process->lost_events,
		      process->corrected);
}

static void write_target(struct gw_page *page, const struct gw_doctor_target *target)
{
	char title[128];

	snprintf(title, sizeof(title), "PROCESS %" PRIu32 "%s%s", target->pid,
		 target->comm[0] ? " " : "", target->comm);
	gw_page_heading(page, title);
	if (target->known)
		write_python(page, &target->python);
	for (size_t i = 0; i < target->gil_count; i++)
		gw_page_print(page, "  GIL    ", TARGET_INDENT,
			      "at %#" PRIx64 ", of interpreter %" PRId64, target->gil_address[i],
			      target->gil_interpreter[i]);
	write_sites(page, &target->sites);
	write_trial(page, target);
}

static void write_ability(struct gw_page *page, const char *name, const struct gw_ability *ability)
{
	write_row(page, ability->can ? GW_GREEN : GW_RED, ability->can ? "yes" : "NO", name,
		  ENGINE_WIDTH, ability->because);
}

int gw_doctor_text_write(const struct gw_doctor *doctor, const struct gw_text_options *options,
			 FILE *out)
{
	struct gw_page page = {
		.out = out,
		.width = options->width,
		.colour = options->colour,
		.utf8 = options->utf8,
	};

	gw_page_print(&page, "", 2, "gilwatch %s on Linux %s %s, libbpf %s, user %" PRIu32,
		      GW_VERSION, doctor->kernel, doctor->machine, doctor->libbpf, doctor->uid);
	gw_page_heading(&page, "THIS HOST");
	for (size_t i = 0; i < doctor->check_count; i++)
		write_check(&page, &doctor->check[i]);
	if (doctor->has_target)
		write_target(&page, &doctor->target);
	gw_page_heading(&page,
			doctor->has_target ? "CAN IT BE MEASURED?" : "CAN ANYTHING BE MEASURED?");
	write_ability(&page, "sched", &doctor->sched);
	write_ability(&page, "uprobe", &doctor->uprobe);
	if (!doctor->has_target)
		gw_page_wrap(&page, "", 2,
			     "With -p PID doctor looks at a process too, and tries to measure it.");
	return ferror(out) ? -EIO : 0;
}
