// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The laws of the accounting over probe hits that a switch interrupts at any point. */
#include "account_laws.h"

static struct world nested;

/* Preempted inside of the hit, and back again. The hit goes on with the time that it has read. */
static void preempt(void)
{
	struct actor *a = &nested.actor[0];
	struct gw_thread before = a->t;
	struct gw_effects e = {0};
	struct gw_out out = {
		.engine = GW_ENGINE_UPROBE,
		.where = GW_RUNNABLE,
		.gil_read = 1,
		.holds = nested.holder == a,
		.at_site = 1,
	};

	interrupt = NULL;
	nested.now += 3200;
	gw_switch_out(&a->t, &nested.gil, nested.now, &out, &e);
	apply(&nested, a, &e, &before);
	nested.now += 6400;
	memset(&e, 0, sizeof(e));
	before = a->t;
	gw_switch_in(&a->t, &nested.gil, GW_ENGINE_UPROBE, nested.now, &e);
	apply(&nested, a, &e, &before);
}

static void nested_hit(int acquires)
{
	struct actor *a = &nested.actor[0];
	struct gw_thread before = a->t;
	struct gw_effects e = {0};

	if (acquires)
		gw_acquire(&a->t, &nested.gil, nested.now, GW_SAME_CORE, &nested.regime, &e);
	else
		gw_release(&a->t, &nested.gil, nested.now, 0, 0, &nested.regime, &e);
	apply(&nested, a, &e, &before);
}

static void nested_laws(void)
{
	law_wall(&nested);
	law_one_holder(&nested);
	law_inflicted(&nested);
	law_by_holder(&nested);
	law_waits(&nested);
	law_holds(&nested);
}

/* One thread waits, acquires and releases while another waits; a switch comes at the given point.
 */
static int interrupted_hold(int in_acquire, int point)
{
	struct actor *a = &nested.actor[0];
	int reached;

	memset(&nested, 0, sizeof(nested));
	nested.engine = GW_ENGINE_UPROBE;
	nested.start_ns = nested.now = 6400;
	nested.gil.holder = GW_BY_NOBODY;
	for (int i = 0; i < ACTORS; i++) {
		actor_is_born(&nested, &nested.actor[i]);
		nested.actor[i].t.tid = (uint32_t)i + 1;
	}
	nested.random = 1;
	for (int i = 0; i < 2; i++) {
		nested.now += 640;
		actor_enters(&nested, &nested.actor[i]);
		actor_leaves(&nested, &nested.actor[i], GW_BLOCKED_GIL, GW_FUTEX_WAIT);
	}
	nested.now += 64000;
	gw_wakeup(&a->t, &nested.gil, nested.now);
	actor_enters(&nested, a);
	nested.now += 640;
	nested.holder = a;
	interrupt = in_acquire ? preempt : NULL;
	interrupt_countdown = point;
	nested_hit(1);
	reached = !interrupt;
	nested.now += 64000;
	nested.holder = NULL;
	interrupt = in_acquire ? NULL : preempt;
	interrupt_countdown = point;
	nested_hit(0);
	reached = in_acquire ? reached : !interrupt;
	interrupt = NULL;
	nested.now += 640;
	return reached;
}

static void test_switch_inside_an_acquire(void **state)
{
	int point = 0;
	(void)state;

	while (interrupted_hold(1, point++))
		nested_laws();
	assert_true(point > 5);
}

static void test_switch_inside_a_release(void **state)
{
	int point = 0;
	(void)state;

	while (interrupted_hold(0, point++))
		nested_laws();
	assert_true(point > 4);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_switch_inside_an_acquire),
		cmocka_unit_test(test_switch_inside_a_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
