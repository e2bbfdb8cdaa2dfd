# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""One measurement: a workload, one gilwatch an engine at the same time, and all laws checked."""

import time

import pytest
from harness import (
    INTERPRETERS,
    SYSTEM_PYTHON,
    Gilwatch,
    Schedstat,
    Workload,
    only_process,
    thread,
    window,
)
from laws import Findings, find_laws, find_schedstat_laws

BOTH = ("sched", "uprobe")
START_S = 2.0  # more than gilwatch takes to get ready


def interpreters(*names):
    """Parameters by interpreter; one that is not on this machine is shown as skipped."""
    return [
        pytest.param(
            INTERPRETERS.get(name),
            id=name,
            marks=pytest.mark.skipif(name not in INTERPRETERS, reason="no Python %s" % name),
        )
        for name in names
    ]


class Measured:
    def __init__(self, summaries, truth, tids):
        self.summaries, self.truth, self.tids = summaries, truth, tids
        self.findings = Findings()

    def process(self, engine):
        return only_process(self.summaries[engine])

    def thread(self, engine, name):
        found = thread(self.process(engine), self.tids[name])
        if not found:
            self.findings.report()
        return found

    def window(self, engine):
        return window(self.summaries[engine])

    def elapsed_s(self, engine):
        return self.summaries[engine]["elapsed_s"]


def measure(name, *args, python=SYSTEM_PYTHON, **how):
    """Run a workload under gilwatch; what is found wrong so far is in .findings, to be reported."""
    with Workload(name, *args, python=python) as work:
        measured = watch(work, **how)
        measured.truth = work.finish()
    return measured


def watch(work, seconds=3, engines=BOTH, options=(), books_agree=True):
    """Run one gilwatch an engine. Without books_agree, schedstat is left alone: at 10,000 wake-ups a
    second and more, the 1 to 7 µs by which it and the scheduler's tracepoints differ at each add up.
    """
    books = Schedstat(work.pid)
    command = ["summary", "-p", work.pid, "-d", seconds, "--json", *options]
    if len(engines) > 1:
        # All of them see the same window; it begins when they are ready for it.
        command += ["--begin-at", time.monotonic_ns() + int(START_S * 1e9)]
    try:
        runs = {engine: Gilwatch(*command, "--engine=" + engine) for engine in engines}
        answers = {engine: run.finish(seconds + 30) for engine, run in runs.items()}
    finally:
        books.stop()
    summaries = {engine: answer.summary() for engine, answer in answers.items()}
    measured = Measured(summaries, None, work.tids)
    for engine, summary in summaries.items():
        stderr = answers[engine].stderr
        measured.findings.true("stderr should be empty: %s" % stderr, stderr == "")
        find_laws(measured.findings, summary)
        if seconds >= 3 and books_agree:
            find_schedstat_laws(measured.findings, summary, books, work.tids.values())
        process = measured.process(engine)
        seen = {thread["tid"] for thread in process["threads"]}
        for name, tid in work.tids.items():
            measured.findings.true("%s: no thread %d (%s)" % (engine, tid, name), tid in seen)
        measured.findings.true(
            "engine %s became %s: %s" % (engine, process["engine"], process["engine_changes"]),
            process["engine"] == engine and not process["engine_changes"],
        )
    if set(BOTH) <= set(engines):
        find_agreement(measured)
    return measured


def find_agreement(measured):
    """Both engines on one window: the same waiting, within 3 %, or 6 % from 10,000 cycles/s on."""
    findings = measured.findings
    start_ns, _ = measured.window("sched")
    findings.near("windows begin together", measured.window("uprobe")[0], start_ns, 0, 0.010e9)
    process = measured.process("uprobe")
    elapsed_s = measured.elapsed_s("uprobe")
    cycles = sum(gil["acquisitions"] or 0 for gil in process["gils"])
    relative = 0.03 if cycles / elapsed_s < 10000 else 0.06
    sched_s = measured.process("sched")["states"]["gil_wait_s"]
    uprobe_s = process["states"]["gil_wait_s"]
    if uprobe_s >= 0.02 * elapsed_s:
        findings.near("gil_wait, sched against uprobe", sched_s, uprobe_s, relative)
