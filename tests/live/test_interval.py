# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The live view where there is no terminal: rows and JSON lines, interval after interval."""

import json
import os
import signal
import subprocess

import pytest
from harness import (
    GILWATCH,
    NO_TARGET,
    REPOSITORY,
    USAGE,
    Gilwatch,
    Workload,
    not_json,
    only_process,
    run,
    window,
)
from laws import Draft202012Validator, Findings, total

if Draft202012Validator:
    from jsonschema import RefResolver

UNSPLIT = ("python_s", "native_s")  # their sum is exact, each is an estimate


def lines_of(answer):
    assert answer.status == 0, answer
    assert answer.stderr == "", answer
    lines = [json.loads(line, parse_constant=not_json) for line in answer.stdout.splitlines()]
    if Draft202012Validator:
        validator = line_validator()
        for line in lines:
            validator.validate(line)
    return lines


def line_validator():
    """The schema of a line refers to that of summaries by the name of its file."""
    docs = REPOSITORY / "docs"
    names = ("interval.schema.json", "summary.schema.json")
    schemas = {(docs / name).as_uri(): json.loads((docs / name).read_text()) for name in names}
    place = (docs / names[0]).as_uri()
    resolver = RefResolver(place, schemas[place], store=schemas)
    return Draft202012Validator(schemas[place], resolver=resolver)


def find_interval_laws(findings, line):
    """One line by itself."""
    findings.true("schema is named", line["schema"] == "gilwatch.interval.v1")
    findings.true("its end, twice", line["monotonic_ns"] == window(line["interval"])[1])
    for part in ("interval", "cumulative"):
        process = only_process(line[part])
        wall_s = process["threads_wall_s"]
        threads_s = sum(thread["wall_s"] for thread in process["threads"])
        name = "%d, %s: " % (line["seq"], part)
        findings.near(name + "cells", process["check"]["cells_s"], wall_s, 0.001)
        findings.near(name + "states", total(process["states"]), wall_s, 0.001)
        findings.near(name + "where", total(process["where"]), wall_s, 0.001)
        findings.near(
            name + "threads and ended ones",
            threads_s + process["ended_threads"]["wall_s"],
            wall_s,
            0.001,
        )
        for thread in process["threads"]:
            findings.near(name + "a thread", total(thread["states"]), thread["wall_s"], 0.001, 1e-6)


def find_chain_laws(findings, lines):
    """Each interval begins where the last one ended, and all of them are the whole."""
    for before, after in zip(lines, lines[1:]):
        findings.true("seq", after["seq"] == before["seq"] + 1)
        findings.true(
            "no gap", window(after["interval"])[0] == window(before["interval"])[1]
        )
    whole = only_process(lines[-1]["cumulative"])
    parts = [only_process(line["interval"]) for line in lines]
    for state in whole["states"]:
        if state not in UNSPLIT:
            findings.near(
                "intervals sum up: " + state,
                sum(part["states"][state] for part in parts),
                whole["states"][state],
                0.001,
                0.001,
            )
    for count in ("acquisitions", "forced_releases"):
        sums = [sum(gil[count] for gil in part["gils"]) for part in parts + [whole]]
        findings.true("intervals sum up: %s %s" % (count, sums), sum(sums[:-1]) == sums[-1])


def find_most_waiters(findings, lines):
    """The most of all time is that of one of the intervals, and a wait needs a waiter."""
    whole = only_process(lines[-1]["cumulative"])
    parts = [only_process(line["interval"]) for line in lines]
    for index, gil in enumerate(whole["gils"]):
        most = [part["gils"][index]["waiters_max"] for part in parts]
        findings.true(
            "most waiters: %s of %s" % (gil["waiters_max"], most), max(most) == gil["waiters_max"]
        )
    for part in parts + [whole]:
        by = part["gil_wait_by_holder"]
        ended = sum(gil["wait"]["count"] for gil in part["gils"])
        goes_on = sum(wait["kind"] == "wait" for wait in part["open"])
        for gil in part["gils"]:
            # Without probes, whether a wait has ended shows as its thread leaves the CPU.
            findings.true(
                "each waiter has a wait: %d of %d" % (gil["waiters_max"], ended),
                gil["waiters_max"] <= ended + goes_on + os.cpu_count(),
            )
        if len(part["gils"]) == 1 and total(by) - (by["handover_s"] or 0) > 0.001:
            findings.true("a wait has a waiter", part["gils"][0]["waiters_max"] >= 1)


@pytest.mark.parametrize("engine", ["sched", "uprobe"])
def test_most_waiters(engine):
    """Of four that spin, three wait; the fourth joins them for a moment at most."""
    with Workload("spin", "--threads=4") as work:
        answer = run("-p", work.pid, "--json", "--engine=" + engine, "300ms", 5)
    findings = Findings()
    lines = lines_of(answer)
    find_most_waiters(findings, lines)
    most = only_process(lines[-1]["cumulative"])["gils"][0]["waiters_max"]
    findings.true("three wait: %s" % most, most in (3, 4))
    findings.report()


@pytest.mark.parametrize("engine", ["sched", "uprobe"])
def test_laws_of_intervals(engine):
    """Threads that come and go beside some that stay."""
    with Workload("churn") as work:
        answer = run("-p", work.pid, "--json", "--engine=" + engine, "200ms", 5)
    lines = lines_of(answer)
    assert [line["seq"] for line in lines] == [1, 2, 3, 4, 5]
    findings = Findings()
    for line in lines:
        find_interval_laws(findings, line)
    find_most_waiters(findings, lines)
    if engine == "uprobe":
        find_chain_laws(findings, lines)
    # An interval's end is never early, and no interval is made twice.
    first_ns = window(lines[0]["interval"])[0]
    for line in lines:
        findings.at_least("end", (line["monotonic_ns"] - first_ns) / 1e9, 0.199 * line["seq"])
    findings.report()


def test_verdicts_follow_what_happens_now():
    """A program that was idle for long and is busy now is not called idle."""
    with Workload("cycles", "--threads=1", "--rate=100", "--spinners=2") as work:
        lines = lines_of(run("-p", work.pid, "--json", "1", 3))
    codes = [only_process(line["interval"])["verdicts"][0]["code"] for line in lines]
    assert len(set(codes[-2:])) == 1 or codes[-1] != "idle", codes
    assert all(code not in ("idle", "io_bound") for code in codes[1:]), codes


def test_the_busiest_threads_come_first():
    """The main thread sleeps; the kernel, whose order is another, lists it first."""
    with Workload("spin") as work:
        lines = lines_of(run("-p", work.pid, "--json", "500ms", 2))
        told = [line[part] for line in lines for part in ("interval", "cumulative")]
        told.append(run("summary", "-p", work.pid, "-d", 1, "--json").summary())
    for summary in told:
        threads = only_process(summary)["threads"]
        assert len(threads) == 3 and threads[-1]["tid"] == work.pid, threads


def test_rows():
    with Workload("sleep") as work:
        answer = run("-p", work.pid, "-n", 1, "200ms", 3)
    assert answer.status == 0 and answer.stderr == "", answer
    lines = answer.stdout.splitlines()
    assert lines[0].startswith("#") and lines[1].split()[:3] == ["time", "id", "threads"], answer
    rows = [line.split() for line in lines[2:]]
    assert len(rows) == 6, answer  # a process and its busiest thread, three times
    assert all(row[1] == str(work.pid) for row in rows[::2]), answer
    columns = len(lines[1].split()) - 1
    assert all(len(row) >= columns for row in rows), answer


def test_a_pipe_that_is_closed_early_ends_it_in_peace():
    """As with `| head -1`; the first line comes while the watch goes on."""
    with Workload("sleep") as work:
        command = [GILWATCH, "-p", str(work.pid), "100ms"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout.readline().startswith(b"#")
            process.stdout.close()
            assert process.wait(60) == 0
            assert process.stderr.read() == b""


def test_a_reader_that_leaves_in_a_long_interval_is_noticed():
    with Workload("sleep") as work:
        read_end, write_end = os.pipe()
        with Gilwatch("-p", work.pid, "1h", stdout=write_end) as gilwatch:
            os.close(write_end)
            os.close(read_end)
            answer = gilwatch.finish(60)
    assert answer.status == 0 and answer.stderr == "", answer


def test_an_interrupt_shows_the_interval_that_goes_on():
    with Workload("sleep") as work:
        command = [GILWATCH, "-p", str(work.pid), "--json", "300ms"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            first = json.loads(process.stdout.readline())
            process.send_signal(signal.SIGINT)
            rest = [json.loads(line) for line in process.stdout.read().splitlines()]
            assert process.wait(60) == 0
    assert first["interval"]["ended"] == "duration"
    assert rest[-1]["interval"]["ended"] == "interrupted"


def test_the_end_of_the_target_is_said():
    with Workload("sleep") as work:
        command = [GILWATCH, "-p", str(work.pid), "200ms"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()
            work.finish()
            lines = process.stdout.read().splitlines()
            assert process.wait(60) == 0
    last = [line for line in lines if line.split()[1] == str(work.pid)][-1]
    assert last.endswith("ended"), lines


@pytest.mark.parametrize(
    "arguments",
    [
        ["x"],
        ["0"],
        ["-1"],
        ["10ms"],
        ["1", "0"],
        ["1", "x"],
        ["1", "2.5"],
        ["1", "2", "3"],
        ["1", "99999999999"],
        ["1", "--no-such-option"],
        ["1", "-n", "0"],
    ],
    ids=" ".join,
)
def test_bad_intervals(arguments):
    run("-p", os.getpid(), *arguments).refused(USAGE)


def test_no_process_is_named():
    run("-j").refused(USAGE, says=["-p PID"])
    run("5").refused(USAGE, says=["-p PID"])


def test_no_such_process():
    run("-p", 2**22 - 1, "1", "1").refused(NO_TARGET)
