// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "fixtures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/histogram.h"

#define MS(x)  ((int64_t)(x)*1000000)
#define SEC(x) ((int64_t)(x)*1000000000)

static const char no_probes[] = "the engine is sched; exact figures need --engine=uprobe";

static const enum gw_where where_of[GW_STATE_COUNT] = {
	[GW_STATE_PYTHON] = GW_RUNNING,	      [GW_STATE_NATIVE] = GW_RUNNING,
	[GW_STATE_GIL_WAIT] = GW_BLOCKED_GIL, [GW_STATE_RUNQUEUE] = GW_RUNNABLE,
	[GW_STATE_DISK] = GW_BLOCKED_DISK,    [GW_STATE_NET] = GW_BLOCKED_NET,
	[GW_STATE_PIPE] = GW_BLOCKED_PIPE,    [GW_STATE_POLL] = GW_BLOCKED_POLL,
	[GW_STATE_SLEEP] = GW_BLOCKED_SLEEP,  [GW_STATE_LOCK] = GW_BLOCKED_LOCK,
	[GW_STATE_FAULT] = GW_BLOCKED_FAULT,  [GW_STATE_CHILD] = GW_BLOCKED_CHILD,
	[GW_STATE_STOPPED] = GW_STOPPED,      [GW_STATE_OTHER] = GW_BLOCKED_OTHER,
	[GW_STATE_UNKNOWN] = GW_RUNNING,
};

static void begin(struct gw_snapshot *s, size_t processes, int64_t elapsed_ns)
{
	memset(s, 0, sizeof(*s));
	strcpy(s->started, "2026-03-01T12:00:00+01:00");
	s->requested_ns = s->elapsed_ns = elapsed_ns;
	s->start_monotonic_ns = 1234567890123;
	s->end_monotonic_ns = s->start_monotonic_ns + (uint64_t)elapsed_ns;
	strcpy(s->kernel, "6.1.0-18-amd64");
	s->cpus = 2;
	s->process = calloc(processes, sizeof(*s->process));
	s->process_count = processes;
}

static void histogram_absent(struct gw_histogram *h)
{
	gw_histogram_set_absent(h, no_probes);
}

static void histogram_add(struct gw_histogram *h, int64_t ns, uint64_t count)
{
	gw_histogram_add(h, (uint64_t)ns, count);
}

static void process_begin(struct gw_process_view *p, const char *engine, size_t threads)
{
	p->pid = 4242;
	p->ppid = 1;
	strcpy(p->command, "python3 /srv/app/worker.py --threads 2");
	strcpy(p->comm, "python3");
	strcpy(p->python_version, "3.11.2");
	p->gil_enabled = 1;
	strcpy(p->python_file, "/usr/bin/python3.11");
	strcpy(p->build_id, "0123456789abcdef0123456789abcdef01234567");
	strcpy(p->engine, engine);
	p->elapsed_ns = SEC(10);
	p->overhead_budget = 0.02;
	p->overhead_hit_ns = 1020;
	p->exact_ns = p->elapsed_ns;
	p->wait_basis.coverage_ns = p->probes_basis.coverage_ns = p->elapsed_ns;
	p->cpus_usable = 2;
	p->thread = calloc(threads, sizeof(*p->thread));
	p->thread_count = threads;
	p->gil = calloc(1, sizeof(*p->gil));
	p->gil_count = 1;
	p->gil[0].address = 0x55d0c0ffee00;
	p->gil[0].interval_ns = MS(5);
	p->gil[0].exact_ns = p->elapsed_ns;
	p->resume.delay_ratio = -1;
	p->first_python_ns = GW_ABSENT_NS;
	p->gil_enabled_at_ns = GW_ABSENT_NS;
}

static void thread_begin(struct gw_thread_view *t, uint32_t tid, const char *name)
{
	t->tid = tid;
	snprintf(t->name, sizeof(t->name), "%s", name);
	t->alive = 1;
	t->cpu = calloc(2, sizeof(*t->cpu));
	t->cpu_count = 2;
	t->cpu[1].cpu = 1;
	t->resume.delay_ratio = -1;
}

/* Without probes: what only they can tell is absent. */
static void strip_probes(struct gw_process_view *p)
{
	for (size_t i = 0; i < p->thread_count; i++) {
		struct gw_thread_view *t = &p->thread[i];

		t->acquisitions = t->releases = t->forced_releases = GW_ABSENT_COUNT;
		histogram_absent(&t->hold);
		histogram_absent(&t->wait);
	}
	p->exact_ns = 0;
	p->probes_basis.kind = GW_BASIS_ABSENT;
	p->probes_basis.coverage_ns = 0;
	strcpy(p->probes_basis.reason, no_probes);
	for (size_t i = 0; i < p->gil_count; i++) {
		struct gw_gil_row *gil = &p->gil[i];

		gil->exact_ns = 0;
		gil->acquisitions = gil->releases = gil->forced_releases = GW_ABSENT_COUNT;
		histogram_absent(&gil->hold);
		histogram_absent(&gil->wait);
		for (int d = 0; d < GW_DISTANCE_COUNT; d++)
			gil->handovers[d] = GW_ABSENT_COUNT;
	}
}

static void sample(struct gw_basis *basis, int64_t error_ns)
{
	basis->kind = GW_BASIS_SAMPLED;
	basis->coverage_ns = SEC(10);
	basis->error_ns = error_ns;
	strcpy(basis->reason, "sampled 99 times a second");
}

static void thread_end(struct gw_process_view *p, struct gw_thread_view *t)
{
	int64_t cpu_ns = t->states.ns[GW_STATE_PYTHON] + t->states.ns[GW_STATE_NATIVE];

	for (int i = 0; i < GW_STATE_COUNT; i++) {
		t->cells_ns += t->states.ns[i];
		if (i != GW_STATE_HELD_OFF)
			t->where_ns[where_of[i]] += t->states.ns[i];
		p->states.ns[i] += t->states.ns[i];
	}
	for (int i = 0; i < GW_WHERE_COUNT; i++) {
		t->where_ns[i] += t->held_off_by_ns[i];
		p->held_off_by_ns[i] += t->held_off_by_ns[i];
		p->where_ns[i] += t->where_ns[i];
	}
	t->wall_ns = t->cells_ns;
	p->threads_wall_ns += t->wall_ns;
	p->cells_ns += t->cells_ns;
	t->cpu[0].ns = cpu_ns / 3;
	t->cpu[1].ns = cpu_ns - cpu_ns / 3;
	for (int i = 0; i < 2; i++)
		p->cpu[i].ns += t->cpu[i].ns;
	for (int i = 0; i < GW_DISTANCE_COUNT; i++)
		p->migrations[i] += t->migrations[i];
	p->gil[0].holding_ns += t->states.ns[GW_STATE_PYTHON] + t->states.ns[GW_STATE_HELD_OFF];
}

/* Sums the threads into their process. */
static void process_end(struct gw_process_view *p)
{
	p->cpu = calloc(2, sizeof(*p->cpu));
	p->cpu_count = 2;
	p->cpu[1].cpu = 1;
	for (size_t i = 0; i < p->thread_count; i++)
		thread_end(p, &p->thread[i]);
	p->parallelism_python = (double)p->states.ns[GW_STATE_PYTHON] / (double)p->elapsed_ns;
	p->parallelism_native = (double)p->states.ns[GW_STATE_NATIVE] / (double)p->elapsed_ns;
}

static void fill_verdict(struct gw_verdict *v, enum gw_severity severity, const char *code,
			 const char *text)
{
	v->severity = severity;
	strcpy(v->code, code);
	strcpy(v->text, text);
	strcpy(v->evidence[0].name, "gil_wait_running_s");
	v->evidence[0].value = 9.87;
	strcpy(v->evidence[1].name, "usable_cpus");
	v->evidence[1].value = 2;
	v->evidence_count = 2;
}

static void verdict(struct gw_process_view *p, enum gw_severity severity, const char *code,
		    const char *text)
{
	fill_verdict(&p->verdict[p->verdict_count++], severity, code, text);
}

static void pair(struct gw_process_view *p, uint32_t by, uint32_t on, int64_t ns)
{
	struct gw_inflicted *row;

	p->inflicted = realloc(p->inflicted, (p->inflicted_count + 1) * sizeof(*p->inflicted));
	row = &p->inflicted[p->inflicted_count++];
	*row = (struct gw_inflicted){.by = by, .on = on, .wait_ns = ns};
}

static void still_open(struct gw_process_view *p, uint32_t tid, enum gw_open_kind kind,
		       enum gw_where where, int64_t ns)
{
	struct gw_open *row;

	p->open = realloc(p->open, (p->open_count + 1) * sizeof(*p->open));
	row = &p->open[p->open_count++];
	*row = (struct gw_open){.tid = tid, .kind = kind, .age_ns = ns, .where = where};
}

static void worker(struct gw_thread_view *t, uint32_t tid, const char *name, int64_t python_ns)
{
	thread_begin(t, tid, name);
	t->states.ns[GW_STATE_PYTHON] = python_ns;
	t->states.ns[GW_STATE_NATIVE] = MS(12);
	t->states.ns[GW_STATE_HELD_OFF] = t->held_off_by_ns[GW_RUNNABLE] = MS(25);
	t->states.ns[GW_STATE_RUNQUEUE] = MS(3);
	t->states.ns[GW_STATE_GIL_WAIT] = SEC(10) - python_ns - MS(40);
	t->migrations[GW_SAME_CORE] = 7;
	t->migrations[GW_SAME_LLC] = 1;
	t->acquisitions = t->releases = 981;
	t->forced_releases = 979;
	t->waits = 980;
	t->wakes = 981;
	histogram_add(&t->hold, MS(5), 970);
	histogram_add(&t->hold, 12345678, 11);
	histogram_add(&t->wait, MS(5) + 4321, 980);
}

static void contended(struct gw_process_view *p, const char *engine)
{
	process_begin(p, engine, 3);
	worker(&p->thread[0], 4243, "worker-1", SEC(4) + 970000001);
	worker(&p->thread[1], 4244, "worker-2", SEC(4) + 930000002);
	thread_begin(&p->thread[2], 4242, "python3");
	p->thread[2].states.ns[GW_STATE_LOCK] = SEC(10);
	p->thread[0].inflicted_ns = SEC(4) + MS(990);
	p->thread[1].inflicted_ns = SEC(4) + MS(940);
	process_end(p);
	p->gil_wait_by_holder_ns[GW_RUNNING] = SEC(9) + MS(900);
	p->gil_wait_by_holder_ns[GW_RUNNABLE] = MS(30);
	p->gil_wait_by_holder_ns[GW_HOLDER_NONE] = MS(1);
	p->gil_wait_by_holder_ns[GW_HOLDER_HANDOVER] =
		p->states.ns[GW_STATE_GIL_WAIT] - SEC(9) - MS(931);
	pair(p, 4243, 4244, SEC(4) + MS(990));
	pair(p, 4244, 4243, SEC(4) + MS(940));
	pair(p, 0, 4243, MS(1));
	verdict(p, GW_CRITICAL, "gil_bound",
		"Threads queue for the one GIL: during 98.7 % of the 10.0 s at least one waited "
		"while "
		"another ran. More threads cannot make this faster; processes can (2 CPUs are "
		"usable, "
		"1.0 is used): try ProcessPoolExecutor or multiprocessing.");
	verdict(p, GW_INFO, "gil_hops",
		"The GIL moved between cores 196 times a second \xe2\x80\x93 fewer threads, fewer "
		"moves.");
	still_open(p, 4243, GW_OPEN_HOLD, GW_RUNNING, MS(2));
	still_open(p, 4244, GW_OPEN_WAIT, GW_BLOCKED_GIL, MS(2));
	still_open(p, 4242, GW_OPEN_BLOCK, GW_BLOCKED_LOCK, SEC(10));
	p->gil[0].acquisitions = p->gil[0].releases = 1962;
	p->gil[0].forced_releases = 1958;
	p->gil[0].holder_changes = 1960;
	p->gil[0].most_waiting = 1;
	histogram_add(&p->gil[0].hold, MS(5), 1940);
	histogram_add(&p->gil[0].hold, 12345678, 22);
	histogram_add(&p->gil[0].wait, MS(5) + 4321, 1960);
	p->gil[0].handovers[GW_SAME_CPU] = 12;
	p->gil[0].handovers[GW_SAME_LLC] = 1948;
}

void fixture_contended_sched(struct gw_snapshot *s)
{
	struct gw_process_view *p;

	begin(s, 1, SEC(10));
	p = s->process;
	contended(p, "sched");
	strcpy(p->engine_reason, "exact figures would cost more than the budget");
	strip_probes(p);
	p->inflicted_count--; /* that nobody held it is not seen without probes */
	sample(&p->basis[GW_STATE_PYTHON], MS(42));
	sample(&p->basis[GW_STATE_NATIVE], MS(9));
	sample(&p->by_holder_basis, MS(70));
	sample(&p->inflicted_basis, MS(70));
	p->thread[0].python_error_ns = p->thread[1].python_error_ns = MS(30);
	p->gil_wait_by_holder_ns[GW_HOLDER_HANDOVER] += p->gil_wait_by_holder_ns[GW_HOLDER_NONE];
	p->gil_wait_by_holder_ns[GW_HOLDER_NONE] = GW_ABSENT_NS;
	histogram_add(&p->resume.latency, 87654, 3);
	p->resume.runqueue_ns = 7654 * 3;
	p->resume.gil_ns = 80000 * 3;
	p->overhead_ratio = 0.0004;
}

void fixture_contended_uprobe(struct gw_snapshot *s)
{
	struct gw_process_view *p;

	begin(s, 1, SEC(10));
	p = s->process;
	contended(p, "uprobe");
	strcpy(p->engine_reason, "its exact figures fit the budget");
	histogram_add(&p->resume.latency, MS(5) + 87654, 120);
	histogram_add(&p->resume.latency, MS(11), 2);
	p->resume.runqueue_ns = MS(20);
	p->resume.gil_ns = (int64_t)p->resume.latency.sum_ns - MS(20);
	p->resume.delay_ratio = 5.87;
	p->resume.delays = 122;
	p->overhead_hits = 3924;
	p->overhead_ns = 3924 * 1400;
	p->overhead_ratio = 0.00055;
	p->missed_switches = 3;
	p->corrected = 1;
	p->io_any_ns = SEC(4) + 7;
	p->yielded_runqueue_ns = SEC(0) + 11;
	p->yielding_ns = SEC(0) + 13;
	p->io_blocked_ns = SEC(9);
	p->gil_enabled_at_ns = MS(1500);
	p->thread[0].polls = 42;
	p->thread[0].stalls = 2;
	p->thread[0].stalled_ns = MS(300);
	p->thread[0].stretch_longest_ns = MS(190);
	p->interval_phase = calloc(2, sizeof(*p->interval_phase));
	p->interval_phase_count = 2;
	p->interval_phase[0] = (struct gw_interval_phase){
		.interval_ns = MS(5), .to_ns = SEC(4), .acquisitions = 800, .held_ns = SEC(4)};
	p->interval_phase[1] = (struct gw_interval_phase){.interval_ns = MS(50),
							  .from_ns = MS(4250),
							  .to_ns = SEC(10),
							  .acquisitions = GW_ABSENT_COUNT,
							  .forced_releases = GW_ABSENT_COUNT,
							  .held_ns = GW_ABSENT_NS};
}

static void idle(struct gw_process_view *p)
{
	process_begin(p, "uprobe", 1);
	thread_begin(&p->thread[0], 4242, "python3");
	p->thread[0].states.ns[GW_STATE_POLL] = SEC(10) - 850;
	p->thread[0].states.ns[GW_STATE_NATIVE] = 850;
	process_end(p);
	verdict(p, GW_INFO, "idle", "The process did nothing: the GIL is not your problem.");
	still_open(p, 4242, GW_OPEN_BLOCK, GW_BLOCKED_POLL, SEC(3));
}

void fixture_idle(struct gw_snapshot *s)
{
	begin(s, 1, SEC(10));
	idle(s->process);
	s->process[0].overhead_budget = -1;
	s->process[0].python_version[0] = '\0';
	s->process[0].build_id[0] = '\0';
}

void fixture_error(struct gw_snapshot *s)
{
	struct gw_process_view *p;

	begin(s, 2, SEC(10));
	p = &s->process[0];
	p->pid = 77;
	p->ppid = 1;
	strcpy(p->command, "/usr/bin/pypy3 server.py");
	strcpy(p->comm, "pypy3");
	strcpy(p->error, "Process 77 is not CPython (it is PyPy), which gilwatch cannot measure; "
			 "perf and py-spy can say more about it.");
	idle(&s->process[1]);
	fill_verdict(&s->verdict[s->verdict_count++], GW_INFO, "process_parallel",
		     "2 processes compute at once.");
	s->process[1].first_python_ns = MS(3) + 141;
}

void fixture_hostile(struct gw_snapshot *s)
{
	struct gw_process_view *p;

	begin(s, 1, SEC(10));
	p = s->process;
	contended(p, "uprobe");
	s->requested_ns = GW_ABSENT_NS;
	s->ended = p->ended = GW_ENDED_INTERRUPTED;
	strcpy(p->command, "python3 \x1b]0;owned\x07\x1b[2J\n\"quoted\" \xff\xfe caf\xc3\xa9 "
			   "\xe2\x80\xaegpj.exe \xc2\x9b"
			   "31m \xed\xa0\x80 \\x1b "
			   "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e");
	strcpy(p->comm, "\x1b[31m\r\n");
	strcpy(p->thread[0].name, "\x1b[31mred\x1b[0m");
	strcpy(p->thread[1].name, "a\nb\xff\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e");
	strcpy(p->thread[2].name, "\xe2\x80\xaemain\xe2\x80\x8b");
	memset(p->python_file, '\xff', sizeof(p->python_file));
	strcpy(p->verdict[0].text, "Thread \x1b[5mworker\n waited \xe2\x89\x88 3 s "
				   "loooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo"
				   "oooooooooooooooooooooooooooooooong.");
	p->verdict[0].evidence[0].value = __builtin_nan("");
	p->verdict[0].evidence[1].value = -__builtin_inf();
}

static void three_gils(struct gw_process_view *p)
{
	struct gw_gil_row *one = p->gil;

	p->gil = calloc(3, sizeof(*p->gil));
	p->gil_count = 3;
	for (int i = 0; i < 3; i++) {
		p->gil[i] = *one;
		p->gil[i].interpreter = i;
		p->gil[i].address += 0x1000 * (uint64_t)i;
		p->gil[i].most_waiting = 38 - i;
	}
	p->gil[2].interval_ns = GW_ABSENT_NS;
	p->gil[2].most_waiting = GW_ABSENT_COUNT;
	memcpy(p->gil[2].python, "3.13.0", sizeof("3.13.0"));
	free(one);
	p->ended_gil_count = 5;
	p->ended_gils.acquisitions = p->ended_gils.releases = 123;
	p->ended_gils.holding_ns = MS(456);
}

void fixture_many(struct gw_snapshot *s)
{
	struct gw_process_view *p;
	char name[32];

	begin(s, 1, SEC(10));
	p = s->process;
	process_begin(p, "uprobe", 40);
	for (uint32_t i = 0; i < 40; i++) {
		struct gw_thread_view *t = &p->thread[i];

		snprintf(name, sizeof(name), "ThreadPoolExecutor-0_%u", i);
		worker(t, 4194264 + i, name, MS(200));
		t->states.ns[GW_STATE_NET] = MS(50) * i;
		t->states.ns[GW_STATE_GIL_WAIT] -= MS(50) * i;
		t->alive = i % 3 != 0;
		t->inflicted_ns = SEC(9);
	}
	process_end(p);
	p->gil_wait_by_holder_ns[GW_RUNNING] = p->states.ns[GW_STATE_GIL_WAIT];
	for (uint32_t i = 0; i < 9; i++)
		pair(p, 4194264 + i, 4194273 + i, MS(900) - MS(i));
	p->inflicted_rest_ns = SEC(300);
	p->ended_count = 1234;
	p->ended_wall_ns = SEC(62);
	p->ended_states.ns[GW_STATE_DISK] = SEC(60);
	p->ended_states.ns[GW_STATE_NATIVE] = SEC(2);
	p->threads_wall_ns += SEC(62);
	p->cells_ns += SEC(62);
	p->states.ns[GW_STATE_DISK] += SEC(60);
	p->states.ns[GW_STATE_NATIVE] += SEC(2);
	free(p->cpu);
	p->cpu_count = 64;
	p->cpu = calloc(64, sizeof(*p->cpu));
	for (uint32_t i = 0; i < 64; i++)
		p->cpu[i] = (struct gw_cpu_time){.cpu = i, .ns = MS(i * 7 % 64)};
	p->gil[0].handovers[GW_CROSS_NODE] = 1234567;
	three_gils(p);
	for (uint32_t i = 0; i < 40; i++)
		still_open(p, 4194264 + i, GW_OPEN_BLOCK, GW_BLOCKED_NET, MS(990) + MS(i));
}

void fixture_long(struct gw_snapshot *s)
{
	struct gw_process_view *p;
	struct gw_thread_view *t;

	begin(s, 1, SEC(10000));
	p = s->process;
	process_begin(p, "sched", 2);
	p->elapsed_ns = SEC(10000);
	p->ended = s->ended = GW_ENDED_TARGET_EXEC;
	t = &p->thread[0];
	thread_begin(t, 4243, "logger");
	t->states.ns[GW_STATE_HELD_OFF] = SEC(5000);
	t->held_off_by_ns[GW_BLOCKED_DISK] = SEC(4000);
	t->held_off_by_ns[GW_BLOCKED_FAULT] = SEC(900);
	t->held_off_by_ns[GW_RUNNABLE] = SEC(100);
	for (int i = 0; i < GW_STATE_COUNT; i++) {
		if (i != GW_STATE_HELD_OFF)
			t->states.ns[i] = SEC(5000) / (GW_STATE_COUNT - 1);
	}
	t = &p->thread[1];
	thread_begin(t, 4242, "python3");
	t->states.ns[GW_STATE_GIL_WAIT] = SEC(10000);
	t->inflicted_ns = 0;
	p->thread[0].inflicted_ns = SEC(10000);
	process_end(p);
	p->gil_wait_by_holder_ns[GW_BLOCKED_DISK] = p->states.ns[GW_STATE_GIL_WAIT];
	pair(p, 4243, 4242, SEC(10000));
	strip_probes(p);
	p->engine_change = calloc(2, sizeof(*p->engine_change));
	p->engine_change_count = 2;
	p->engine_change[0] = (struct gw_engine_change){.at_ns = SEC(3) + 1};
	strcpy(p->engine_change[0].from, "uprobe");
	strcpy(p->engine_change[0].to, "sched");
	strcpy(p->engine_change[0].reason, "the probes cost 3.1 % of the CPU time, budget 2 %");
	p->engine_change[1] = p->engine_change[0];
	p->engine_change[1].at_ns = SEC(4000);
	p->cpu_quota = 1.5;
	p->throttled_ns = SEC(321);
	p->lost_events = 12345;
	histogram_add(&p->resume.latency, SEC(120), 2);
	still_open(p, 4242, GW_OPEN_WAIT, GW_BLOCKED_GIL, SEC(10000));
	still_open(p, 4243, GW_OPEN_HOLD, GW_BLOCKED_DISK, SEC(4000));
	verdict(p, GW_CRITICAL, "gil_stuck", "Perhaps a deadlock.");
	verdict(p, GW_WARNING, "gil_held_blocked", "Thread 4243 blocks on a disk with the GIL.");
}

void fixture_no_facts(struct gw_snapshot *s)
{
	static const char reason[] = "the build is not known, so that its GIL could not be found";
	struct gw_process_view *p;

	begin(s, 1, SEC(10));
	p = s->process;
	process_begin(p, "sched", 1);
	p->python_version[0] = '\0';
	thread_begin(&p->thread[0], 4242, "python3");
	p->thread[0].states.ns[GW_STATE_UNKNOWN] = SEC(10);
	process_end(p);
	p->gil_count = 0;
	strip_probes(p);
	for (int i = 0; i < GW_STATE_UNKNOWN; i++) {
		p->basis[i].kind = GW_BASIS_ABSENT;
		strcpy(p->basis[i].reason, reason);
	}
	p->by_holder_basis = p->inflicted_basis = p->basis[0];
	for (int i = 0; i < GW_HOLDER_COUNT; i++)
		p->gil_wait_by_holder_ns[i] = GW_ABSENT_NS;
	p->thread[0].inflicted_ns = p->inflicted_rest_ns = GW_ABSENT_NS;
	p->parallelism_python = p->parallelism_native = -1;
	gw_histogram_set_absent(&p->resume.latency, reason);
}

void fixture_run(struct gw_snapshot *s)
{
	fixture_idle(s);
	s->requested_ns = GW_ABSENT_NS;
	s->ended = s->process->ended = GW_ENDED_TARGET_EXIT;
	s->run = (struct gw_run){
		.pid = s->process->pid,
		.file = "/home/al\033[2Jice/venv/bin/python3",
		.user = "alice",
		.exit_status = 3,
		.signal = GW_ABSENT_COUNT,
		.before_python_ns = 17300000,
	};
}

void fixture_run_nothing(struct gw_snapshot *s)
{
	fixture_run(s);
	gw_process_view_clear(s->process);
	s->process_count = 0;
	s->elapsed_ns = 4440000;
	s->run.user[0] = '\0';
	s->run.exit_status = GW_ABSENT_COUNT;
	s->run.signal = 9;
	s->run.before_python_ns = GW_ABSENT_NS;
}

const struct fixture fixture_table[] = {
	{"contended_sched", fixture_contended_sched, 10},
	{"contended_uprobe", fixture_contended_uprobe, 10},
	{"idle", fixture_idle, 10},
	{"error", fixture_error, 10},
	{"hostile", fixture_hostile, 10},
	{"many", fixture_many, 5},
	{"long", fixture_long, 10},
	{"no_facts", fixture_no_facts, 10},
	{"run", fixture_run, 10},
	{"run_nothing", fixture_run_nothing, 10},
};
const unsigned int fixture_count = sizeof(fixture_table) / sizeof(fixture_table[0]);
