# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Who holds the GIL, who waits for it, and because of whom. What every interpreter is asked is in
test_matrix.py."""

import pytest
from gil_checks import find_cycles, find_holds_near_interval, find_queue, find_releases
from measure import BOTH, interpreters, measure


PYTHONS = interpreters("system", "3.11", "3.12", "3.13")


def test_four_threads_of_pure_python():
    measured = measure("spin", "--threads", 4, seconds=6)
    find_queue(measured, 4)
    find_holds_near_interval(measured)
    measured.findings.report()


@pytest.mark.parametrize("engine", BOTH)
def test_two_threads_under_one_engine_alone(engine):
    measured = measure("spin", "--threads", 2, seconds=3, engines=[engine])
    find_queue(measured, 2)
    measured.findings.report()


def test_acquisitions_beside_a_spinner():
    measured = measure(
        # Between two bursts lies a wait: only a log of every cycle can be cut in it.
        *("cycles", "--rate", 0, "--every", 2, "--spinners", 1),
        seconds=4,
        engines=["uprobe"],
        books_agree=False,  # thousands of wake-ups a second
    )
    find_cycles(measured, "cycler0")
    find_releases(measured)
    measured.findings.report()


@pytest.mark.parametrize("python", PYTHONS)
def test_acquisitions_at_full_speed(python):
    measured = measure(
        *("cycles", "--rate", 0, "--every", 50),
        python=python,
        seconds=3,
        engines=["uprobe"],
    )
    find_cycles(measured, "cycler0")
    find_releases(measured)
    measured.findings.report()


def test_engines_agree_at_high_rates():
    measured = measure(
        *("cycles", "--threads", 2, "--rate", 0, "--every", 50),
        seconds=4,
        books_agree=False,  # 15,000 wake-ups a second
    )
    process = measured.process("uprobe")
    rate = process["gils"][0]["acquisitions"] / measured.elapsed_s("uprobe")
    measured.findings.at_least("GIL cycles a second of this workload", rate, 10000)
    find_cycles(measured, "cycler0")
    find_cycles(measured, "cycler1")
    measured.findings.report()
