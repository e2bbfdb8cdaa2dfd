# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Interpreters with GILs of their own, and a GIL that is switched on while it is watched."""

import subprocess

import pytest
from harness import (
    INTERPRETERS,
    Gilwatch,
    Workload,
    command_of,
    is_free_threaded,
    only_process,
    run,
    thread,
)
from laws import Findings, find_laws
from matrix import NAMES, WITHOUT_GIL, minor_version
from measure import BOTH

OWN_GILS = [
    name
    for name in NAMES
    if minor_version(name) >= 12 and not is_free_threaded(name.replace("-gil", ""))
]
INTERPRETERS_TOGETHER = 2
PLACES = 16  # for the GILs of a process


def gils_of(process):
    return {gil["interpreter"]: gil for gil in process["gils"]}


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("name", OWN_GILS)
def test_each_interpreter_has_its_gil(name, engine):
    """Each thread computes in an interpreter of its own: none waits for another."""
    findings = Findings()
    with Workload("interpreters", python=INTERPRETERS[name]) as work:
        answer = run("summary", "-p", work.pid, "-d", 2, "--json", "--engine=" + engine)
        summary = answer.summary()
        tids = work.tids
    find_laws(findings, summary)
    process = only_process(summary)
    gils = gils_of(process)
    findings.true("GILs of %s" % sorted(gils), sorted(gils) == [0, 1, 2])
    findings.at_most("gil_wait", process["states"]["gil_wait_s"], 0.02 * summary["elapsed_s"])
    # A call now and then gives its GIL away for microseconds; where probes are kept at any rate (3.15
    # takes its GIL 40,000 times a second here), what they cost is spent without it.
    least_s = (0.9 - (process["overhead"]["ratio"] or 0)) * summary["elapsed_s"]
    for number in range(INTERPRETERS_TOGETHER):
        worker = thread(process, tids["worker%d" % number])
        busy_s = worker["where"]["running_s"] + worker["where"]["runnable_s"]
        findings.near("worker%d runs, or could" % number, busy_s, summary["elapsed_s"], 0.02)
        findings.at_least(
            "worker%d holds its GIL" % number,
            worker["states"]["python_s"] + worker["states"]["held_off_s"],
            least_s,
        )
        held_s = gils[number + 1]["holding_s"]
        findings.at_least("GIL %d is held" % (number + 1), held_s, least_s)
    findings.at_most("GIL 0 is held", gils[0]["holding_s"], 0.01 * summary["elapsed_s"])
    if engine == "uprobe":
        holds_are_of_their_gils(findings, process)
    findings.report()


def holds_are_of_their_gils(findings, process):
    """Each release ends a hold of that GIL, but the first, whose beginning nobody saw."""
    unseen = INTERPRETERS_TOGETHER + process["check"]["corrected"]
    for gil in process["gils"]:
        count = gil["hold"]["count"]
        name = "holds of GIL %d: %d" % (gil["interpreter"], count)
        findings.at_most(name, count, gil["releases"])
        findings.at_least(name, count, gil["releases"] - unseen)


@pytest.mark.parametrize("engine", BOTH)
def test_a_gil_comes_while_it_is_watched(engine):
    name = OWN_GILS[0]
    findings = Findings()
    with Workload("interpreters", "--late", 2, python=INTERPRETERS[name]) as work:
        answer = run("summary", "-p", work.pid, "-d", 4, "--json", "--engine=" + engine)
        summary = answer.summary()
    find_laws(findings, summary)
    gils = gils_of(only_process(summary))
    findings.true("GILs of %s" % sorted(gils), sorted(gils) == [0, 1, 2, 3])
    findings.at_least("the late one is held", gils[3]["holding_s"], 0.7)
    findings.report()


def test_more_gils_than_places():
    """They come and go: those that have gone make room, and are added up."""
    name = OWN_GILS[0]
    findings = Findings()
    apart = ["env", "MALLOC_MMAP_THRESHOLD_=100000"]
    with Workload("gil_churn", python=INTERPRETERS[name], prefix=apart) as work:
        gilwatch = Gilwatch(
            *("summary", "-p", work.pid, "-d", 60, "--json", "--engine=sched"), terminal=True
        )
        gilwatch.wait_until_watching()
        work.process.stdin.write(b"x")
        work.process.stdin.flush()
        made = work.finish()["made"]
        answer = gilwatch.finish(60)
    summary = answer.summary()
    find_laws(findings, summary)
    process = only_process(summary)
    rows, ended = process["gils"], process["ended_gils"]
    findings.true("%d rows" % len(rows), len(rows) == PLACES)
    # A GIL that was made where another had been shares its row.
    findings.at_most("GILs", len(rows) - 1 + ended["count"], made)
    findings.at_least("GILs that have gone", ended["count"], 1)
    findings.at_least("held by those", ended["holding_s"], 0.1)
    findings.true("%d lost" % process["check"]["lost_events"], not process["check"]["lost_events"])
    findings.report()


# --- a GIL that is switched on ----------------------------------------------------------------

UNREADY = """
#include <Python.h>
/* No Py_mod_gil slot: a free-threaded Python switches its GIL on as it imports this. */
static struct PyModuleDef_Slot slots[] = {{0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "unready", NULL, 0, NULL, slots};
PyMODINIT_FUNC PyInit_unready(void) { return PyModuleDef_Init(&module); }
"""


def build_unready(python, directory):
    """An extension module that is not ready for a Python without a GIL."""
    ask = "import sysconfig; print(sysconfig.get_path('include'))"
    command = [*command_of(python), "-c", ask]
    include = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    source = directory / "unready.c"
    source.write_text(UNREADY)
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-I" + include, "-o", str(directory / "unready.so"), str(source)],
        check=True,
    )


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("name", WITHOUT_GIL)
def test_gil_is_switched_on(name, engine, tmp_path):
    findings = Findings()
    python = INTERPRETERS[name]
    build_unready(python, tmp_path)
    with Workload("unready", "--path", tmp_path, python=python) as work:
        with Gilwatch(
            *("summary", "-p", work.pid, "-d", 5, "--json", "--engine=" + engine), terminal=True
        ) as gilwatch:
            gilwatch.wait_until_watching()
            work.process.stdin.write(b"import\n")
            work.process.stdin.flush()
            summary = gilwatch.finish(30).summary()
        start_ns = summary["window"]["start_monotonic_ns"]
        began_s, done_s = [(at - start_ns) / 1e9 for at in work.finish()["imported"]]
    process = only_process(summary)
    findings.true("engine is %s" % process["engine"], process["engine"] == engine)
    findings.true("gil_enabled", process["python"]["gil_enabled"])
    (change,) = process["engine_changes"]
    findings.true("from %s" % change["from"], change["from"] == "none")
    findings.true("it says why: %s" % change["reason"], "switched on" in change["reason"])
    findings.at_least("not noticed before it was", change["at_s"], began_s)
    findings.at_most("noticed within a second", change["at_s"], done_s + 1)
    # From then on two threads share one GIL; before, neither waited.
    rest_s = summary["elapsed_s"] - change["at_s"]
    queued_s = sum(
        thread(process, work.tids["spinner%d" % number])["states"][state]
        for number in range(2)
        for state in ("gil_wait_s", "runqueue_s", "held_off_s")
    )
    findings.near("the two wait from then on", queued_s, rest_s, 0.1, 0.1)
    findings.true("nothing lost", process["check"]["lost_events"] == 0)
    findings.near(
        "cells and wall", process["check"]["cells_s"], process["check"]["wall_s"], 0.001
    )
    findings.report()
