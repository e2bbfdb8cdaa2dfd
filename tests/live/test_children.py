# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Processes that a watched process makes, or becomes: each has its row, and nothing of it is lost."""

import json
import time

import pytest
from harness import Gilwatch, Workload, only_process, run
from laws import Findings, find_laws, total
from measure import BOTH


def followed(work, engine, seconds, *options, begin=True):
    """The summary of a workload that starts its children once gilwatch is watching."""
    with Gilwatch(
        *("summary", "-p", work.pid, "-d", seconds, "--json", "--engine=" + engine),
        *options,
        terminal=True,
    ) as gilwatch:
        gilwatch.wait_until_watching()
        if begin:
            work.process.stdin.write(b"\n")
            work.process.stdin.flush()
        return gilwatch.finish(seconds + 30).summary()


def children(summary):
    return {process["pid"]: process for process in summary["processes"] if process["child"]}


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("kind", ["pool", "executor"])
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pool(method, kind, engine):
    findings = Findings()
    with Workload("family", "--method", method, "--kind", kind) as work:
        summary = followed(work, engine, 4)
        truth = work.finish()
    find_laws(findings, summary)
    found = children(summary)
    findings.true("the pool's work was over in time", truth["end"] < summary["window"]["end_monotonic_ns"])
    for pid, cpu_s in truth["cpu_s"].items():
        worker = found.get(int(pid))
        findings.true("worker %s has no row" % pid, worker)
        if not worker:
            continue
        findings.near("worker %s: running" % pid, worker["where"]["running_s"], cpu_s, 0.02, 0.02)
        findings.at_least("worker %s: sleep" % pid, worker["where"]["sleep_s"], 0.95)
        findings.true("worker %s: engine %s" % (pid, worker["engine"]), worker["engine"] == engine)
        findings.at_least(
            "worker %s: python, of what it ran" % pid,
            worker["states"]["python_s"],
            0.85 * (worker["where"]["running_s"] - worker["states"]["unknown_s"]),
        )
    findings.report()


@pytest.mark.parametrize("engine", BOTH)
def test_children_that_are_there_already(engine):
    """A prefork server by its master's PID."""
    findings = Findings()
    with Workload("prefork") as work:
        workers = work.ready["workers"]
        summary = run("summary", "-p", work.pid, "-d", 2, "--json", "--engine=" + engine).summary()
    find_laws(findings, summary)
    found = children(summary)
    assert sorted(found) == sorted(workers)
    for pid, worker in found.items():
        findings.true("engine of %d is %s" % (pid, worker["engine"]), worker["engine"] == engine)
        findings.at_least("python of %d" % pid, worker["states"]["python_s"], 0.5)
    for state, value in summary["total"]["states"].items():
        if state.endswith("_s") and value is not None:
            parts = (process["states"][state] or 0 for process in summary["processes"])
            findings.near("total of " + state, value, sum(parts), 0.000001, 0.000001)
    findings.report()


def test_children_can_be_left_out():
    with Workload("prefork") as work:
        summary = run("summary", "-p", work.pid, "-d", 1, "--json", "--no-children").summary()
    assert [process["pid"] for process in summary["processes"]] == [work.pid]


def test_children_by_the_hundred():
    """More than there is room for at a time: those that end are kept, and make room for others."""
    findings = Findings()
    with Workload("forks") as work:
        with Gilwatch(
            *("summary", "-p", work.pid, "-d", 60, "--json"), terminal=True
        ) as gilwatch:
            gilwatch.wait_until_watching()
            work.process.stdin.write(b"\n")
            work.process.stdin.flush()
            truth_line = work.process.stdout.readline()
            time.sleep(0.2)
            gilwatch.signal(2)
            summary = gilwatch.finish(30).summary()
    own_s, used_s = json.loads(truth_line)["value"]
    find_laws(findings, summary)
    found = [process for process in summary["processes"] if process["child"]]
    findings.true("%d children have rows" % len(found), len(found) == 400)
    findings.true("%d others" % summary["other_children"], summary["other_children"] == 50)
    running_s = sum(child["where"]["running_s"] for child in found)
    findings.at_least("their time on CPUs", running_s, 0.98 * own_s)
    findings.at_most("their time on CPUs", running_s, 1.02 * used_s)
    findings.true(
        "all of them ended", all(child["ended"] == "target_exit" for child in found)
    )
    findings.report()


@pytest.mark.parametrize("engine", BOTH)
def test_program_that_a_process_becomes(engine):
    """The old one's row ends, the new one's begins, and their walls meet."""
    findings = Findings()
    with Workload("exec_") as work:
        with Gilwatch(
            *("summary", "-p", work.pid, "-d", 3, "--json", "--engine=" + engine), terminal=True
        ) as gilwatch:
            gilwatch.wait_until_watching()
            time.sleep(0.7)
            work.process.stdin.close()
            summary = gilwatch.finish(20).summary()
    find_laws(findings, summary)
    old, new = summary["processes"]
    assert old["pid"] == new["pid"] == work.pid
    assert (old["ended"], new["ended"]) == ("target_exec", "duration")
    assert not old["child"] and new["child"]
    findings.near("they meet", old["elapsed_s"], new["began_s"], 0, 0.001)
    findings.near(
        "both together", old["elapsed_s"] + new["elapsed_s"], summary["elapsed_s"], 0, 0.001
    )
    findings.true("engine %s" % new["engine"], new["engine"] == engine)
    findings.at_least("the new one sleeps", new["states"]["sleep_s"], 1.5)
    findings.near("wall", total(new["where"]), new["elapsed_s"], 0.001)
    findings.report()


def test_target_is_the_selected_one():
    with Workload("prefork") as work:
        summary = run("summary", "-p", work.pid, "-d", 1, "--json").summary()
    assert only_process(summary)["pid"] == work.pid
