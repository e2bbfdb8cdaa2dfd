// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What list and doctor print, as text and as JSON; what a pick stands for; new files. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/output.h"
#include "cmd/pick.h"
#include "fixtures.h"
#include "golden.h"
#include "render/doctor.h"
#include "render/escape.h"
#include "render/list.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* ---- a host with one of each ---- */

static struct gw_listed measurable(uint32_t pid, const char *version, int shared)
{
	struct gw_listed p = {
		.pid = pid,
		.ppid = 1,
		.uid = 1000,
		.user = "www",
		.comm = "python3",
		.threads = 12,
		.python = {.implementation = "CPython", .gil_enabled = 1, .shared = shared},
		.sched = {.can = 1},
		.uprobe = {.can = 1},
	};

	snprintf(p.python.version, sizeof(p.python.version), "%s", version);
	snprintf(p.python.file, sizeof(p.python.file), "/usr/bin/python%s", version);
	snprintf(p.python.build_id, sizeof(p.python.build_id), "2dd439c6");
	snprintf(p.command, sizeof(p.command), "/usr/bin/python3 -m http.server --bind 127.0.0.1");
	snprintf(p.cgroup, sizeof(p.cgroup), "/system.slice/web.service");
	return p;
}

static void refuse(struct gw_listed *p, const char *because)
{
	p->sched.can = p->uprobe.can = 0;
	snprintf(p->sched.because, sizeof(p->sched.because), "%s", because);
	snprintf(p->uprobe.because, sizeof(p->uprobe.because), "%s", because);
}

static void one_of_each(struct gw_listing *listing)
{
	struct gw_listed *p = calloc(6, sizeof(*p));

	assert_non_null(p);
	*listing = (struct gw_listing){.kernel = "6.1.0-18-amd64", .count = 6, .process = p};
	listing->seen = 512;
	p[0] = measurable(7, "3.11.2", 0);
	p[1] = measurable(1234, "3.12.1", 1);
	snprintf(p[1].cgroup, sizeof(p[1].cgroup), "/system.slice/docker-" ID ".scope");
	snprintf(p[1].container_runtime, sizeof(p[1].container_runtime), "docker");
	snprintf(p[1].container_id, sizeof(p[1].container_id), ID);
	p[2] = measurable(1235, "3.14.7", 1);
	p[2].python.free_threaded = 1;
	p[2].python.gil_enabled = 0;
	snprintf(p[2].sched.because, sizeof(p[2].sched.because),
		 "its GIL is off: no GIL to wait for");
	p[2].uprobe.can = 0;
	snprintf(p[2].uprobe.because, sizeof(p[2].uprobe.because),
		 "its GIL is off: there is nothing to probe");
	p[3] = measurable(4000, "3.9", 1);
	snprintf(p[3].python.implementation, sizeof(p[3].python.implementation), "PyPy");
	p[3].python.gil_enabled = -1;
	p[3].cgroup[0] = '\0';
	refuse(&p[3], "process 4000 (pypy3) is PyPy 3.9, which has no CPython GIL");
	p[4] = measurable(40001, "3.13.0", 0);
	snprintf(p[4].command, sizeof(p[4].command), "evil\033[2J\nname\xff --flag");
	snprintf(p[4].comm, sizeof(p[4].comm), "evil\033[2J\xff");
	snprintf(p[4].user, sizeof(p[4].user), "a-very-long-user-name");
	snprintf(p[4].cgroup, sizeof(p[4].cgroup), "/kubepods/pod/" ID);
	snprintf(p[4].container_runtime, sizeof(p[4].container_runtime), "kubernetes");
	snprintf(p[4].container_id, sizeof(p[4].container_id), ID);
	p[4].uprobe.can = 0;
	snprintf(p[4].uprobe.because, sizeof(p[4].uprobe.because),
		 "no probes: the file has no GIL");
	p[5] = measurable(4194303, "", 0);
	p[5].python = (struct gw_python_facts){
		.implementation = "CPython", .free_threaded = -1, .gil_enabled = -1, .shared = -1};
	p[5].command[0] = '\0';
	snprintf(p[5].cgroup, sizeof(p[5].cgroup), "/");
	p[5].threads = 123456;
	refuse(&p[5], "the memory of process 4194303 (python3) does not look like Python");
}

static void no_rights(struct gw_listing *listing)
{
	static const char lacks[] = "gilwatch has no right to measure: it lacks CAP_BPF; run it "
				    "with sudo";

	*listing = (struct gw_listing){.kernel = "6.1.0", .count = 2, .seen = 40, .denied = 30};
	listing->process = calloc(2, sizeof(*listing->process));
	snprintf(listing->rights, sizeof(listing->rights), "%s", lacks);
	snprintf(listing->denied_because, sizeof(listing->denied_because),
		 "30 of 40 processes may not be looked into by this user: run sudo gilwatch list");
	for (uint32_t i = 0; i < 2; i++) {
		listing->process[i] = measurable(100 + i, "3.11.2", 0);
		refuse(&listing->process[i], lacks);
	}
}

static char *list_text(const struct gw_listing *listing, const struct gw_list_options *options)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(gw_list_text_write(listing, options, out), 0);
	fclose(out);
	return text;
}

static void assert_fits(const char *text, size_t width)
{
	char line[4096];
	size_t length;

	for (; *text; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)length, text);
		for (size_t i = 0; i < length; i++)
			assert_true((unsigned char)line[i] >= ' ' && line[i] != 0x7f);
		if (gw_columns(line) > width || (length && line[length - 1] == ' '))
			fail_msg("too wide, or spaces at its end: \"%s\"", line);
	}
}

static void test_list_goldens(void **state)
{
	static const struct {
		const char *name;
		int width, utf8, whole, numbered;
	} looks[] = {
		{"list.80.utf8.txt", 80, 1, 0, 0},
		{"list.120.ascii.txt", 120, 0, 0, 0},
		{"list.whole.txt", 80, 1, 1, 0},
		{"list.numbered.txt", 80, 0, 0, 1},
	};
	struct gw_listing listing;
	(void)state;

	one_of_each(&listing);
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
		struct gw_list_options options = {
			.text = {.width = looks[i].width, .utf8 = looks[i].utf8},
			.whole = looks[i].whole,
			.numbered = looks[i].numbered,
		};
		char *text = list_text(&listing, &options);

		assert_fits(text, looks[i].whole ? 200 : (size_t)looks[i].width);
		assert_golden(looks[i].name, text);
		free(text);
	}
	gw_listing_clear(&listing);
}

/* A reason that all have in common is told once. */
static void test_list_without_rights(void **state)
{
	struct gw_list_options options = {.text = {.width = 80, .utf8 = 1}};
	struct gw_listing listing;
	char *text;
	(void)state;

	no_rights(&listing);
	text = list_text(&listing, &options);
	assert_golden("list_no_rights.txt", text);
	free(text);
	gw_listing_clear(&listing);
	text = list_text(&listing, &options);
	assert_string_equal(text, "There is no Python process that can be seen.\n");
	free(text);
}

static void write_list_json(const char *name, const struct gw_listing *listing)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(gw_list_json_write(listing, out), 0);
	fclose(out);
	assert_golden(name, text);
	free(text);
}

static void test_list_json(void **state)
{
	struct gw_listing listing;
	(void)state;

	one_of_each(&listing);
	write_list_json("list.json", &listing);
	gw_listing_clear(&listing);
	no_rights(&listing);
	write_list_json("list_no_rights.json", &listing);
	gw_listing_clear(&listing);
}

/* ---- doctor ---- */

static void add_check(struct gw_doctor *d, const char *name, enum gw_check_result result,
		      const char *found, const char *way_out)
{
	struct gw_check *check = &d->check[d->check_count++];

	check->name = name;
	check->result = result;
	snprintf(check->found, sizeof(check->found), "%s", found);
	snprintf(check->way_out, sizeof(check->way_out), "%s", way_out);
}

static struct gw_doctor *host_only(void)
{
	struct gw_doctor *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	snprintf(d->kernel, sizeof(d->kernel), "6.1.0-18-amd64");
	snprintf(d->machine, sizeof(d->machine), "x86_64");
	snprintf(d->libbpf, sizeof(d->libbpf), "v1.1");
	d->uid = 1000;
	add_check(d, "kernel", GW_CHECK_OK, "6.1.0-18-amd64, 5.15 or newer", "");
	add_check(d, "CAP_BPF", GW_CHECK_NO,
		  "not effective; for loading the programs that count in the kernel",
		  "run gilwatch with sudo, or give it the capability");
	add_check(d, "unprivileged_bpf_disabled", GW_CHECK_NOTE, "the kernel has no such setting",
		  "");
	snprintf(d->sched.because, sizeof(d->sched.because),
		 "gilwatch has no right to measure: it lacks CAP_BPF; run it with sudo");
	d->uprobe = d->sched;
	return d;
}

static void with_target(struct gw_doctor *d)
{
	struct gw_doctor_target *t = &d->target;
	struct gw_listed like = measurable(4711, "3.11.2", 0);

	d->has_target = t->known = t->tried = 1;
	t->pid = 4711;
	snprintf(t->comm, sizeof(t->comm), "evil\033[2J\xff");
	t->python = like.python;
	t->gil_count = 2;
	t->gil_address[0] = 0x7fa340940c28;
	t->gil_address[1] = 0x7fa340950c28;
	t->gil_interpreter[1] = 3;
	snprintf(t->sites.how, sizeof(t->sites.how), "calls");
	t->sites.acquire_count = 1;
	t->sites.acquire[0] = 0x266065;
	t->sites.release_count = 14;
	for (size_t i = 0; i < t->sites.release_count; i++)
		t->sites.release[i] = 0x1000 + 0x10000 * i;
	fixture_contended_sched(&t->trial);
	memset(&d->sched, 0, sizeof(d->sched));
	d->sched.can = d->uprobe.can = 1;
	d->uprobe.because[0] = '\0';
}

static void assert_doctor(const char *name, const struct gw_doctor *d,
			  const struct gw_doctor_bundle *bundle, int width)
{
	struct gw_text_options options = {.width = width, .utf8 = true};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(width ? gw_doctor_text_write(d, &options, out)
			       : gw_doctor_json_write(d, bundle, out),
			 0);
	fclose(out);
	if (width)
		assert_fits(text, (size_t)width);
	assert_golden(name, text);
	free(text);
}

static void test_doctor_of_a_host(void **state)
{
	struct gw_doctor *d = host_only();
	(void)state;

	assert_doctor("doctor_host.txt", d, NULL, 80);
	assert_doctor("doctor_host.json", d, NULL, 0);
	gw_doctor_clear(d);
	free(d);
}

static void test_doctor_of_a_process(void **state)
{
	static const char mapped[] = "/usr/bin/python3.11\0/usr/lib/evil\033\xff.so";
	struct gw_doctor_bundle bundle = {.system = "Debian", .build = "#1 SMP"};
	struct gw_doctor *d = host_only();
	(void)state;

	with_target(d);
	assert_doctor("doctor.80.txt", d, NULL, 80);
	bundle.mapped = malloc(sizeof(mapped));
	memcpy(bundle.mapped, mapped, sizeof(mapped));
	bundle.mapped_size = sizeof(mapped);
	assert_doctor("doctor_bundle.json", d, &bundle, 0);
	gw_doctor_bundle_clear(&bundle);
	gw_doctor_clear(d);
	free(d);
}

static void test_doctor_of_a_newer_version(void **state)
{
	struct gw_doctor *d = host_only();
	(void)state;

	with_target(d);
	snprintf(d->target.python.version, sizeof(d->target.python.version), "3.16.0a0");
	d->target.python.untested = 1;
	assert_doctor("doctor_newer.txt", d, NULL, 80);
	assert_doctor("doctor_newer.json", d, NULL, 0);
	gw_doctor_clear(d);
	free(d);
}

static void test_doctor_of_no_python(void **state)
{
	struct gw_doctor *d = host_only();
	(void)state;

	d->has_target = 1;
	d->target.pid = 1;
	d->target.sites.code = -ENODATA;
	snprintf(d->target.trial_because, sizeof(d->target.trial_because),
		 "there is nothing to try");
	assert_doctor("doctor_none.txt", d, NULL, 80);
	assert_doctor("doctor_none.json", d, NULL, 0);
	gw_doctor_clear(d);
	free(d);
}

/* ---- picking ---- */

static void test_picks(void **state)
{
	struct gw_listing listing;
	(void)state;

	one_of_each(&listing);
	assert_int_equal(gw_pick(&listing, "1\n"), 7);
	assert_int_equal(gw_pick(&listing, "6"), 4194303);
	assert_int_equal(gw_pick(&listing, " 1235 \n"), 1235);
	/* A PID of the list comes before the number of a row. */
	assert_int_equal(gw_pick(&listing, "7"), 7);
	assert_int_equal(gw_pick(&listing, "0"), 0);
	assert_int_equal(gw_pick(&listing, "8"), 0);
	assert_int_equal(gw_pick(&listing, ""), 0);
	assert_int_equal(gw_pick(&listing, "\n"), 0);
	assert_int_equal(gw_pick(&listing, "x"), 0);
	assert_int_equal(gw_pick(&listing, "1x"), 0);
	assert_int_equal(gw_pick(&listing, "-1"), 0);
	assert_int_equal(gw_pick(&listing, "99999999999999999999"), 0);
	gw_listing_clear(&listing);
}

/* ---- files that must not exist ---- */

static void test_new_files(void **state)
{
	char directory[] = "/tmp/gilwatch-test-XXXXXX", path[64], link[64];
	struct gw_error err = {0};
	struct stat st;
	FILE *out;
	(void)state;

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/new", directory);
	snprintf(link, sizeof(link), "%s/link", directory);
	out = gw_output_create(path, &err);
	assert_non_null(out);
	assert_int_equal(gw_output_close(out, path, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_null(gw_output_create(path, &err));
	assert_int_equal(err.status, GW_STATUS_USAGE);
	assert_non_null(strstr(err.text, "exists"));
	unlink(path);
	assert_int_equal(symlink(path, link), 0);
	err.text[0] = '\0';
	assert_null(gw_output_create(link, &err));
	assert_int_not_equal(stat(path, &st), 0);
	unlink(link);
	rmdir(directory);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_goldens),
		cmocka_unit_test(test_list_without_rights),
		cmocka_unit_test(test_list_json),
		cmocka_unit_test(test_doctor_of_a_host),
		cmocka_unit_test(test_doctor_of_a_process),
		cmocka_unit_test(test_doctor_of_a_newer_version),
		cmocka_unit_test(test_doctor_of_no_python),
		cmocka_unit_test(test_picks),
		cmocka_unit_test(test_new_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
