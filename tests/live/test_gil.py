# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Who holds the GIL, who waits for it, and because of whom."""

import pytest
from harness import at, verdict_codes
from measure import BOTH, interpreters, measure


PYTHONS = interpreters("system", "3.11", "3.12", "3.13")


def find_queue(measured, threads):
    """Threads of pure Python: each has the GIL for 1/n of the time and goes without it else."""
    findings = measured.findings
    for engine in measured.summaries:
        process = measured.process(engine)
        for number in range(threads):
            thread = measured.thread(engine, "spinner%d" % number)
            states = thread["states"]
            without_s = states["gil_wait_s"] + states["runqueue_s"] + states["held_off_s"]
            findings.near(
                "%s: spinner%d without the GIL" % (engine, number),
                without_s / thread["wall_s"],
                (threads - 1) / threads,
                absolute=0.03,
            )
        python = process["parallelism"]["python"]
        findings.at_least(engine + ": python parallelism", python, 0.95)
        findings.at_most(engine + ": python parallelism", python, 1.0)
        codes = verdict_codes(process)
        findings.true("%s: gil_bound is not in %s" % (engine, codes), "gil_bound" in codes)


def find_holds_near_interval(measured):
    for gil in measured.process("uprobe")["gils"]:
        # A percentile is its bucket's upper edge, up to 12.5 % above what is in it.
        measured.findings.at_least("median hold", gil["hold"]["p50_s"], 0.9 * gil["interval_s"])
        measured.findings.at_most("median hold", gil["hold"]["p50_s"], 1.25 * gil["interval_s"])


@pytest.mark.parametrize("python", PYTHONS)
def test_two_threads_of_pure_python(python):
    measured = measure("spin", "--threads", 2, python=python, seconds=4)
    find_queue(measured, 2)
    find_holds_near_interval(measured)
    measured.findings.report()


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


def find_cycles(measured, name):
    """Acquisitions of a thread against its own count, cut to the window."""
    _, end_ns = measured.window("uprobe")
    log = measured.truth["cycles"][name]
    thread = measured.thread("uprobe", name)
    # Threads are taken up one after the other as the window begins: each counts from there on.
    truth = at(log, end_ns) - at(log, end_ns - thread["wall_s"] * 1e9)
    gil = thread["gil"]
    # What others force it to give up between two cycles is taken again, and not in its count.
    measured.findings.at_least(name + ": acquisitions", gil["acquisitions"], truth * 0.999)
    measured.findings.at_most(
        name + ": acquisitions", gil["acquisitions"], truth * 1.001 + gil["forced_releases"]
    )


def find_releases(measured):
    process = measured.process("uprobe")
    for gil in process["gils"]:
        measured.findings.near(
            "releases against acquisitions",
            gil["releases"],
            gil["acquisitions"],
            absolute=len(process["threads"]),
        )


@pytest.mark.parametrize("python", PYTHONS)
def test_acquisitions_are_what_the_thread_counts(python):
    measured = measure("cycles", "--rate", 8000, python=python, seconds=4, engines=["uprobe"])
    find_cycles(measured, "cycler0")
    find_releases(measured)
    measured.findings.report()


def test_acquisitions_beside_a_spinner():
    measured = measure(
        # Between two bursts lies a wait: only a log of every cycle can be cut in it.
        *("cycles", "--rate", 0, "--every", 2, "--spinners", 1),
        seconds=4,
        engines=["uprobe"],
        options=["--force"],
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
        options=["--force"],
    )
    find_cycles(measured, "cycler0")
    find_releases(measured)
    measured.findings.report()


def test_engines_agree_at_high_rates():
    measured = measure(
        *("cycles", "--threads", 2, "--rate", 0, "--every", 50),
        seconds=4,
        options=["--force"],
        books_agree=False,  # 15,000 wake-ups a second
    )
    process = measured.process("uprobe")
    rate = process["gils"][0]["acquisitions"] / measured.elapsed_s("uprobe")
    measured.findings.at_least("GIL cycles a second of this workload", rate, 10000)
    find_cycles(measured, "cycler0")
    find_cycles(measured, "cycler1")
    measured.findings.report()


USLEEP_S = 0.050


@pytest.mark.parametrize("python", PYTHONS)
def test_a_thread_sleeps_with_the_gil(python):
    measured = measure("pydll", python=python, seconds=4)
    for engine in BOTH:
        find_sleep_with_the_gil(measured, engine)
    measured.findings.report()


def find_sleep_with_the_gil(measured, engine):
    findings = measured.findings
    process = measured.process(engine)
    holder = measured.thread(engine, "holder")
    start_ns, end_ns = measured.window(engine)
    calls = [(call, call + USLEEP_S * 1e9) for call in measured.truth["calls"]]
    inside = (min(end, end_ns) - max(start, start_ns) for start, end in calls)
    truth_s = sum(part for part in inside if part > 0) / 1e9
    findings.at_least(
        engine + ": held_off by sleep, share of the holder's held_off",
        holder["held_off_by"]["sleep_s"] / max(holder["states"]["held_off_s"], 1e-9),
        0.95,
    )
    findings.near(engine + ": held_off by sleep", holder["held_off_by"]["sleep_s"], truth_s, 0.03)
    findings.near(engine + ": inflicted by the holder", holder["inflicted_s"], truth_s, 0.03)
    tids = measured.tids
    pairs = {(pair["by"], pair["on"]): pair["wait_s"] for pair in process["inflicted"]}
    findings.at_least(
        engine + ": the pair (holder, spinner), share of inflicted",
        pairs.get((tids["holder"], tids["spinner0"]), 0) / (holder["inflicted_s"] or 1e-9),
        0.99,
    )
    findings.near(
        engine + ": gil_wait while the holder sleeps",
        process["gil_wait_by_holder"]["sleep_s"],
        truth_s,
        0.03,
    )
    codes = verdict_codes(process)
    findings.true("%s: gil_held_blocked is not in %s" % (engine, codes), "gil_held_blocked" in codes)
