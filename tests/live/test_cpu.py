# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads on CPUs, threads without one, and threads that come and go."""

import os

import pytest
from harness import Workload, at, verdict_codes
from measure import BOTH, measure, watch


@pytest.mark.parametrize("how", ["sha256", "zlib"])
def test_native_code_without_the_gil(how):
    measured = measure("native", "--how", how)
    for engine in BOTH:
        process = measured.process(engine)
        on_cpu_s = process["where"]["running_s"]
        measured.findings.at_least(
            engine + ": native, share of on-CPU", process["states"]["native_s"] / on_cpu_s, 0.95
        )
        if process["cpus_usable"] > 1:
            native = process["parallelism"]["native"]
            measured.findings.at_least(engine + ": native parallelism", native, 1.0001)
        codes = verdict_codes(process)
        measured.findings.true("%s: gil_bound is in %s" % (engine, codes), "gil_bound" not in codes)
    measured.findings.report()


def test_too_few_cpus_without_the_gil():
    threads = 2 * len(os.sched_getaffinity(0))
    measured = measure("native", "--threads", threads, seconds=4)
    for engine in BOTH:
        process = measured.process(engine)
        runnable_s = process["where"]["runnable_s"]
        measured.findings.near(
            engine + ": runnable, share of wall of %d threads" % threads,
            runnable_s / sum(thread_wall(measured, engine, "native")),
            0.5,
            absolute=0.1,
        )
        measured.findings.at_least(
            engine + ": runqueue, share of runnable",
            process["states"]["runqueue_s"] / runnable_s,
            0.95,
        )
        codes = verdict_codes(process)
        measured.findings.true("%s: cpu_starved is not in %s" % (engine, codes), "cpu_starved" in codes)
    measured.findings.report()


def thread_wall(measured, engine, prefix):
    return [
        measured.thread(engine, name)["wall_s"] for name in measured.tids if name.startswith(prefix)
    ]


def test_too_few_cpus_with_the_gil():
    cpu = max(os.sched_getaffinity(0))
    with Workload("spin", "--threads", 1, "--cpu", cpu):
        measured = measure("spin", "--threads", 1, "--cpu", cpu, seconds=4)
    for engine in BOTH:
        thread = measured.thread(engine, "spinner0")
        runnable_s = thread["where"]["runnable_s"]
        measured.findings.near(
            engine + ": runnable, share of wall", runnable_s / thread["wall_s"], 0.5, absolute=0.1
        )
        measured.findings.at_least(
            engine + ": held_off by runnable, share of runnable",
            thread["held_off_by"]["runnable_s"] / runnable_s,
            0.95,
        )
        codes = verdict_codes(measured.process(engine))
        measured.findings.true("%s: cpu_starved is not in %s" % (engine, codes), "cpu_starved" in codes)
    measured.findings.report()


def test_holder_without_a_cpu_while_others_wait():
    cpu = max(os.sched_getaffinity(0))
    with Workload("spin", "--threads", 1, "--cpu", cpu):
        measured = measure("spin", "--threads", 2, "--cpu", cpu, seconds=5)
    for engine in BOTH:
        process = measured.process(engine)
        # The rival has half of the CPU; meanwhile one of the two holds the GIL.
        measured.findings.near(
            engine + ": held_off by runnable, share of the window",
            process["held_off_by"]["runnable_s"] / measured.elapsed_s(engine),
            0.5,
            absolute=0.1,
        )
        measured.findings.near(
            engine + ": gil_wait while the holder has no CPU",
            process["gil_wait_by_holder"]["runnable_s"],
            process["held_off_by"]["runnable_s"],
            0.1,
        )
    measured.findings.report()


def test_one_thread_of_pure_python():
    measured = measure("spin", "--threads", 1)
    for engine in BOTH:
        process = measured.process(engine)
        measured.findings.near(
            engine + ": python, share of on-CPU",
            process["states"]["python_s"] / process["where"]["running_s"],
            1,
            0.03,
        )
        codes = verdict_codes(process)
        measured.findings.true("%s: cpu_single is not in %s" % (engine, codes), "cpu_single" in codes)
    measured.findings.report()


def test_threads_that_never_run():
    measured = measure("idle", "--threads", 4)
    for engine in BOTH:
        process = measured.process(engine)
        for name in measured.tids:
            cause = "sleep" if "sleeper" in name else "lock" if "waiter" in name else "pipe"
            thread = measured.thread(engine, name)
            measured.findings.near(
                "%s: %s, wall" % (engine, name), thread["wall_s"], measured.elapsed_s(engine), 0.001
            )
            measured.findings.near(
                "%s: %s, %s" % (engine, name, cause),
                thread["states"][cause + "_s"],
                thread["wall_s"],
                0.001,
            )
        codes = verdict_codes(process)
        measured.findings.true("%s: idle is not in %s" % (engine, codes), "idle" in codes)
    measured.findings.report()


@pytest.mark.parametrize("engine", BOTH)
def test_threads_by_the_thousand(engine):
    # It starts and joins thousands of threads a second.
    measured = measure("churn", engines=[engine], books_agree=False)
    log = measured.truth["ended"]
    start_ns, end_ns = measured.window(engine)
    ended = at(log, end_ns) - at(log, start_ns)
    process = measured.process(engine)
    dead = [thread for thread in process["threads"] if not thread["alive"]]
    measured.findings.at_least("threads that ended", ended, 1000)
    # Up to eight of them live at either end.
    measured.findings.near(
        "threads seen to end", process["ended_threads"]["count"] + len(dead), ended, absolute=16
    )
    measured.findings.report()


@pytest.mark.slow
def test_sampled_share_of_python_lies_within_its_error():
    misses = []
    runs = 20
    with Workload("mixed") as work:
        runs = [watch(work, 1.5, engines=["sched"]) for _ in range(runs)]
        log = work.finish()["cpu"]
    for measured in runs:
        start_ns, end_ns = measured.window("sched")
        truth_s = (at(log, end_ns) - at(log, start_ns)) / 1e9
        process = measured.process("sched")
        basis = process["basis"]["python_s"]
        assert basis["kind"] == "sampled"
        # An error as large as the figure would always be right.
        measured.findings.at_most("stated error", basis["error_s"], 0.15 * measured.elapsed_s("sched"))
        measured.findings.report()
        if abs(process["states"]["python_s"] - truth_s) > basis["error_s"]:
            misses.append((process["states"]["python_s"], truth_s, basis["error_s"]))
    assert len(misses) <= 2, "(sampled, true, stated error): %s" % misses
