# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The statistics and the tables of the benchmark, without measuring anything."""

import json
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/bench"))
import report
import stats


class Plan(unittest.TestCase):
    def test_each_tool_stands_between_two_bare_slices(self):
        slices = stats.plan(["a", "b", "c"], 7)
        self.assertEqual(len(slices), 7 * 7)
        for index, (number, tool) in enumerate(slices):
            if tool != stats.BARE:
                self.assertEqual(slices[index - 1], (number, stats.BARE))
                self.assertEqual(slices[index + 1], (number, stats.BARE))

    def test_each_round_has_each_tool_once_and_orders_differ(self):
        slices = stats.plan("abcdef", 20)
        orders = set()
        for number in range(20):
            order = [tool for at, tool in slices if at == number and tool != stats.BARE]
            self.assertEqual(sorted(order), list("abcdef"))
            orders.add(tuple(order))
        self.assertGreater(len(orders), 10)

    def test_no_tools(self):
        self.assertEqual(stats.plan([], 2), [(0, stats.BARE), (1, stats.BARE)])


class Ratios(unittest.TestCase):
    def test_neighbours_take_out_a_drift(self):
        speed, measured = 1000.0, []
        for number, tool in stats.plan(["half", "same"], 9):
            factor = 0.5 if tool == "half" else 1.0
            measured.append((number, tool, speed * factor))
            speed += 10
        found = stats.ratios(measured)
        for value in found["half"]:
            self.assertAlmostEqual(value, 0.5, 9)
        for value in found["same"]:
            self.assertAlmostEqual(value, 1.0, 9)

    def test_what_failed_is_left_out(self):
        measured = [
            *[(0, "bare", 10.0), (0, "a", None), (0, "bare", None), (0, "b", 5.0), (0, "bare", 10.0)],
            *[(1, "bare", None), (1, "b", 5.0), (1, "bare", None)],
        ]
        self.assertEqual(stats.ratios(measured), {"b": [0.5]})

    def test_a_bare_slice_of_another_round_is_no_neighbour(self):
        measured = [(0, "bare", 99.0), (1, "a", 5.0), (1, "bare", 10.0)]
        self.assertEqual(stats.ratios(measured), {"a": [0.5]})


class Estimate(unittest.TestCase):
    def test_midmean(self):
        self.assertEqual(stats.midmean([1.0]), 1.0)
        self.assertEqual(stats.midmean([1.0, 3.0]), 2.0)
        self.assertEqual(stats.midmean([-1000.0, 1.0, 2.0, 3.0, 1000.0]), 2.0)

    def test_equal_values_have_no_width(self):
        self.assertEqual(stats.estimate([2.0] * 7), (2.0, 2.0, 2.0))

    def test_none_without_values(self):
        self.assertIsNone(stats.estimate([]))

    def test_the_interval_holds_the_truth_about_as_often_as_it_says(self):
        gauss = random.Random(7).gauss
        held = 0
        for number in range(100):
            _, low, high = stats.estimate([gauss(1.0, 0.02) for _ in range(15)], seed=number)
            held += low <= 1.0 <= high
        self.assertGreaterEqual(held, 80)

    def test_one_disturbed_slice_does_not_move_it(self):
        values = [0.99, 1.0, 1.01, 1.0, 0.99, 1.01, 1.0, 0.3]
        value, _, high = stats.estimate(values)
        self.assertAlmostEqual(value, 1.0, 2)
        self.assertLess(high, 1.02)


class Verdicts(unittest.TestCase):
    def test_a_ratio_that_is_to_be_high(self):
        self.assertEqual(stats.judge_ratio((0.99, 0.98, 1.0), at_least=0.98), stats.MET)
        self.assertEqual(stats.judge_ratio((0.97, 0.96, 0.985), at_least=0.98), stats.MET)
        self.assertEqual(stats.judge_ratio((0.97, 0.96, 0.975), at_least=0.98), stats.NOT_MET)
        self.assertEqual(stats.judge_ratio((0.99, 0.97, 1.01), at_least=0.98), stats.NOT_SHOWN)
        self.assertEqual(stats.judge_ratio((0.3, 0.2, 0.4), at_least=0.98), stats.NOT_MET)
        self.assertEqual(stats.judge_ratio(None, at_least=0.98), stats.NOT_SHOWN)

    def test_a_ratio_that_is_to_be_low(self):
        self.assertEqual(stats.judge_ratio((1.02, 1.01, 1.03), at_most=1.03), stats.MET)
        self.assertEqual(stats.judge_ratio((1.5, 1.4, 1.6), at_most=1.03), stats.NOT_MET)
        self.assertEqual(stats.judge_ratio((1.02, 0.99, 1.05), at_most=1.03), stats.NOT_SHOWN)

    def test_a_value_below_a_limit(self):
        self.assertEqual(stats.judge_value((2.0, 1.0, 3.0), 5), stats.MET)
        self.assertEqual(stats.judge_value((5.0, 4.0, 6.0), 5), stats.NOT_SHOWN)
        self.assertEqual(stats.judge_value((6.0, 5.0, 7.0), 5), stats.NOT_MET)


def result():
    figure = {"value": 0.99, "low": 0.985, "high": 0.995, "rounds": 7}
    speed = {"workload": "cycles", "figure": "rate", "tool": "gilwatch sched", **figure}
    speed.update(target=">= 0.99", verdict="met", reason=None)
    gone = {"workload": "cycles", "figure": "rate", "tool": "austin", "reason": "no austin | here"}
    gone.update(value=None, low=None, high=None, rounds=0, target=None, verdict=None)
    cost = {"what": "read 1,000 threads", "unit": "ms", "tool": "gilwatch sched", **figure}
    cost.update(target="< 5", verdict="met", reason=None)
    truth = {"workload": "forced", "figure": "gil_wait", "tool": "bpftrace", "told": 0.5}
    truth.update(truth=0.4, reason=None)
    silent = {**truth, "tool": "py-spy", "told": None, "reason": "it does not tell"}
    point = {"tool": "gilwatch sched", "cycles_per_s": 1000.0, "slowdown": 1.01}
    point.update(low=1.0, high=1.02)
    machine = {"cpu": "a CPU", "cpus": 2, "kernel": "6.1", "python": "3.12.1", "tools": {}}
    return {
        "schema": "gilwatch.bench.v1",
        "machine": machine,
        "speed": [speed, gone],
        "costs": [cost],
        "accuracy": [truth, silent],
        "curve": [point, {**point, "cycles_per_s": 2e6, "slowdown": 1.5}],
    }


class Report(unittest.TestCase):
    def test_every_row_is_shown_and_gaps_have_their_reason(self):
        text = report.text(result())
        for words in ("gilwatch sched", "0.990", "0.985", "met", "not at hand: no austin | here"):
            self.assertIn(words, text)
        self.assertIn("it does not tell", text)

    def test_markdown_tables_stay_tables(self):
        for line in report.markdown(result()).splitlines():
            if line.startswith("|") and "austin" in line:
                self.assertIn("no austin \\| here", line)
                self.assertEqual(line.replace("\\|", "").count("|"), 7)

    def test_the_plot_has_a_line_a_tool(self):
        script = report.plot_script(result()["curve"], "out.svg")
        self.assertIn("gilwatch sched", script)
        self.assertIn("1000.0 1.01 1.0 1.02", script)
        self.assertIn("set logscale", script)

    def test_json(self):
        json.loads(json.dumps(result(), allow_nan=False))


if __name__ == "__main__":
    unittest.main()
