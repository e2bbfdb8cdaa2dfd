// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The figures of a comparison, and how much each changes by itself. */
#include <math.h>

#include "model/diff_parts.h"
#include "model/histogram.h"
#include "model/probes_basis.h"

/* What two runs of one program differ by: a point of a share, a twentieth of a CPU or thread. */
#define SHARE_NOISE  0.01
#define NUMBER_NOISE 0.05
/* Rates of one program differ by a tenth from run to run. */
#define RATE_NOISE 0.10
/* A percentile is its bucket's upper edge, up to an eighth above the value, in both. */
#define PERCENTILE_NOISE 0.25
/* A percentile of fewer entries is one of chance. */
#define COUNT_FOR_P50	 20
#define COUNT_FOR_P99	 300
#define SLEEPS_FOR_RATIO 20

/* With twice the threads, shares of their time say something else. */
#define THREADS_RATIO_MAX 2

/* One side of a difference: a value and the half-width of its 95 % interval. */
struct value {
	double is, error;
};

static const struct value not_known = {NAN, 0};

static struct gw_difference differ(struct value before, struct value after, double least)
{
	return (struct gw_difference){before.is, after.is,
				      fmax(least, hypot(before.error, after.error))};
}

/* The same where noise is a part of the figure itself. */
static struct gw_difference differ_by(struct value before, struct value after, double part)
{
	return differ(before, after, part * fmax(fabs(before.is), fabs(after.is)));
}

static struct value time_over(int64_t ns, int64_t error_ns, int64_t whole_ns)
{
	if (ns == GW_ABSENT_NS || whole_ns <= 0)
		return not_known;
	return (struct value){(double)ns / (double)whole_ns,
			      error_ns > 0 ? (double)error_ns / (double)whole_ns : 0};
}

/* By chance a count varies with its square root. */
static struct value rate(int64_t count, int64_t ns)
{
	double seconds = (double)ns / 1e9;

	if (count < 0 || ns <= 0)
		return not_known;
	return (struct value){(double)count / seconds, 1.96 * sqrt((double)count) / seconds};
}

static struct value percentile(const struct gw_histogram *histogram, unsigned int permille)
{
	int64_t ns = histogram ? gw_histogram_percentile_ns(histogram, permille) : GW_ABSENT_NS;
	uint64_t enough = permille > 500 ? COUNT_FOR_P99 : COUNT_FOR_P50;

	if (ns < 0)
		return not_known;
	return (struct value){(double)ns / 1e9, histogram->count < enough ? INFINITY : 0};
}

static struct value number(double known_above_0)
{
	return known_above_0 < 0 ? not_known : (struct value){known_above_0, 0};
}

double gw_diff_threads(const struct gw_process_view *process)
{
	return time_over(process->threads_wall_ns, 0, process->elapsed_ns).is;
}

/* ---- states ---- */

static struct value state(const struct gw_process_view *p, enum gw_state state, int64_t whole_ns)
{
	const struct gw_basis *basis = &p->basis[state];

	if (basis->kind == GW_BASIS_ABSENT)
		return not_known;
	return time_over(p->states.ns[state], basis->error_ns, whole_ns);
}

static void differ_states(struct gw_diff_pair *pair)
{
	const struct gw_process_view *a = pair->before, *b = pair->after;

	for (enum gw_state i = 0; i < GW_STATE_COUNT; i++) {
		pair->state[i] = differ(state(a, i, a->threads_wall_ns),
					state(b, i, b->threads_wall_ns), SHARE_NOISE);
		pair->threads[i] = differ(state(a, i, a->elapsed_ns), state(b, i, b->elapsed_ns),
					  NUMBER_NOISE);
	}
}

/* ---- the GIL ---- */

/* The GIL that is held most; NULL: there is none. */
static const struct gw_gil_row *main_gil(const struct gw_process_view *p)
{
	const struct gw_gil_row *most = NULL;

	for (size_t i = 0; i < p->gil_count; i++)
		if (!most || p->gil[i].holding_ns > most->holding_ns)
			most = &p->gil[i];
	return most;
}

static struct value held(const struct gw_process_view *p, const struct gw_gil_row *gil)
{
	if (!gil || p->basis[GW_STATE_PYTHON].kind == GW_BASIS_ABSENT)
		return not_known;
	return time_over(gil->holding_ns, p->basis[GW_STATE_PYTHON].error_ns, p->elapsed_ns);
}

static void differ_gils(struct gw_diff_pair *pair)
{
	const struct gw_process_view *a = pair->before, *b = pair->after;
	const struct gw_gil_row none = {.interval_ns = GW_ABSENT_NS,
					.acquisitions = GW_ABSENT_COUNT,
					.forced_releases = GW_ABSENT_COUNT,
					.holder_changes = GW_ABSENT_COUNT,
					.hold = {.absent = 1},
					.wait = {.absent = 1}};
	const struct gw_gil_row *had = main_gil(a), *has = main_gil(b);
	struct gw_difference *figure = pair->figure;

	figure[GW_DIFF_GIL_HELD] = differ(held(a, had), held(b, has), SHARE_NOISE);
	had = had ? had : &none;
	has = has ? has : &none;
	figure[GW_DIFF_INTERVAL] = differ(time_over(had->interval_ns, 0, 1000000000),
					  time_over(has->interval_ns, 0, 1000000000), 0);
	figure[GW_DIFF_ACQUISITIONS] =
		differ_by(rate(had->acquisitions, gw_probed_ns(a)),
			  rate(has->acquisitions, gw_probed_ns(b)), RATE_NOISE);
	figure[GW_DIFF_FORCED_RELEASES] =
		differ_by(rate(had->forced_releases, gw_probed_ns(a)),
			  rate(has->forced_releases, gw_probed_ns(b)), RATE_NOISE);
	figure[GW_DIFF_HOLDER_CHANGES] =
		differ_by(rate(had->holder_changes, a->elapsed_ns),
			  rate(has->holder_changes, b->elapsed_ns), RATE_NOISE);
	for (int i = 0; i < 2; i++) {
		unsigned int permille = i ? 990 : 500;

		figure[GW_DIFF_HOLD_P50 + i] =
			differ_by(percentile(&had->hold, permille),
				  percentile(&has->hold, permille), PERCENTILE_NOISE);
		figure[GW_DIFF_WAIT_P50 + i] =
			differ_by(percentile(&had->wait, permille),
				  percentile(&has->wait, permille), PERCENTILE_NOISE);
		figure[GW_DIFF_RESUME_P50 + i] =
			differ_by(percentile(&a->resume.latency, permille),
				  percentile(&b->resume.latency, permille), PERCENTILE_NOISE);
	}
}

/* ---- the rest ---- */

static struct value delay_ratio(const struct gw_resume *resume)
{
	if (resume->latency.absent || resume->delay_ratio < 0)
		return not_known;
	return (struct value){resume->delay_ratio,
			      resume->delays < SLEEPS_FOR_RATIO ? INFINITY : 0};
}

static int64_t moves(const struct gw_process_view *p)
{
	int64_t sum = 0;

	for (int i = 0; i < GW_DISTANCE_COUNT; i++)
		if (p->migrations[i] == GW_ABSENT_COUNT ||
		    __builtin_add_overflow(sum, p->migrations[i], &sum))
			return GW_ABSENT_COUNT;
	return sum;
}

static int are_far_apart(double had, double has)
{
	return had > 0 && has > 0 && fmax(had, has) >= THREADS_RATIO_MAX * fmin(had, has);
}

void gw_diff_figures(struct gw_diff_pair *pair)
{
	const struct gw_process_view *a = pair->before, *b = pair->after;
	struct gw_difference *figure = pair->figure;

	pair->by_threads = are_far_apart(gw_diff_threads(a), gw_diff_threads(b));
	differ_states(pair);
	differ_gils(pair);
	figure[GW_DIFF_THREADS] =
		differ_by(number(gw_diff_threads(a)), number(gw_diff_threads(b)), NUMBER_NOISE);
	figure[GW_DIFF_PARALLELISM_PYTHON] =
		differ(number(a->parallelism_python), number(b->parallelism_python), NUMBER_NOISE);
	figure[GW_DIFF_PARALLELISM_NATIVE] =
		differ(number(a->parallelism_native), number(b->parallelism_native), NUMBER_NOISE);
	figure[GW_DIFF_DELAY_RATIO] =
		differ_by(delay_ratio(&a->resume), delay_ratio(&b->resume), RATE_NOISE);
	figure[GW_DIFF_MIGRATIONS] =
		differ_by(rate(moves(a), a->elapsed_ns), rate(moves(b), b->elapsed_ns), RATE_NOISE);
}

enum gw_diff_unit gw_diff_unit(enum gw_diff_figure figure)
{
	switch (figure) {
	case GW_DIFF_GIL_HELD:
		return GW_UNIT_RATIO;
	case GW_DIFF_ACQUISITIONS:
	case GW_DIFF_FORCED_RELEASES:
	case GW_DIFF_HOLDER_CHANGES:
	case GW_DIFF_MIGRATIONS:
		return GW_UNIT_PER_SECOND;
	case GW_DIFF_THREADS:
	case GW_DIFF_PARALLELISM_PYTHON:
	case GW_DIFF_PARALLELISM_NATIVE:
	case GW_DIFF_DELAY_RATIO:
		return GW_UNIT_NUMBER;
	default:
		return GW_UNIT_SECONDS;
	}
}
