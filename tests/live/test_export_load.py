# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""gilwatch export under load, and beside processes that mean harm."""

import time

import pytest
from exporter import SPIN, Exporter, Programs, assert_laws, assert_nothing_fell, wait_for
from hostile import Bombs

BOMBS = 8


@pytest.fixture
def programs():
    with Programs() as programs:
        yield programs


@pytest.fixture
def bombs(tmp_path):
    with Bombs(tmp_path, "gwb%d" % (time.monotonic_ns() % 10**9)) as bombs:
        bombs.comm = bombs.program.rsplit("/", 1)[1]
        yield bombs


def refusals(metrics):
    return metrics.get("gilwatch_attach_failures_total", reason="target")


def test_files_that_end_their_reader_keep_nobody(programs, bombs):
    """They are refused and counted, one after the other; meanwhile whoever asks is answered, the
    others are measured and new ones are found."""
    work = programs.start(SPIN, 2)
    work.stdout.readline()
    with Exporter("--comm", programs.comm, "--comm", bombs.comm) as exporter:
        before = exporter.scrape()
        resident_kib = exporter.resident_kib()
        assert refusals(before) == 0
        for _ in range(BOMBS):
            bombs.start()
        programs.start(SPIN, 0)
        answers = 0
        while refusals(before) < BOMBS:
            after = exporter.scrape()
            assert_laws(after)
            assert_nothing_fell(before, after)
            before = after
            # Each takes its reader some tenths of a second of CPU time.
            answers += 0 < refusals(after) < BOMBS
        assert answers > 3
        wait_for(
            "the new one is found",
            lambda: exporter.scrape().get("gilwatch_processes", group=programs.comm) == 2,
        )
        last = exporter.scrape()
        assert refusals(last) == BOMBS
        assert last.get("gilwatch_targets", status="refused") == BOMBS
        assert last.groups() == {programs.comm}
        page = exporter.get("/")[2].decode()
        # By memory or, where the host takes CPU time away, by time: by which of its limits is up to that.
        assert page.count(" to read: it is not trusted") == BOMBS
        assert "\x1b" not in page
        assert exporter.resident_kib() < resident_kib + 4096
        # They are not read again and again.
        time.sleep(1)
        assert refusals(exporter.scrape()) == BOMBS


def test_a_file_that_ends_its_reader_is_there_before(programs, bombs):
    for _ in range(3):
        bombs.start()
    programs.start(SPIN, 0)
    with Exporter("--comm", programs.comm, "--comm", bombs.comm) as exporter:
        metrics = exporter.scrape()
        assert refusals(metrics) == 3
        assert metrics.get("gilwatch_processes", group=programs.comm) == 1


# Ten thousand threads, a hundred at a time at most.
MANY = """
import threading
print("ready", flush=True)
input()
for _ in range(100):
    threads = [threading.Thread(target=int) for _ in range(100)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
print("done", flush=True)
input()
"""


def test_ten_thousand_threads_leave_nothing(programs):
    with Exporter("--comm", programs.comm) as exporter:

        def work_through():
            process = programs.start(MANY)
            process.stdout.readline()
            wait_for("it is found", lambda: exporter.scrape().get("gilwatch_processes", group=programs.comm) == 1)
            process.stdin.write(b"\n")
            process.stdin.flush()
            process.stdout.readline()
            metrics = exporter.scrape()
            assert_laws(metrics)
            assert metrics.get("gilwatch_threads", group=programs.comm) == 1
            programs.end()
            wait_for(
                "it has gone",
                lambda: exporter.scrape().get("gilwatch_map_entries", map="processes") == 0,
            )
            return metrics

        first = work_through()
        settled = exporter.descriptors(), exporter.resident_kib()
        last = work_through()
        assert_nothing_fell(first, last)
        started = last.get("gilwatch_threads_started_total", group=programs.comm)
        lost = last.sum("gilwatch_lost_events_total") - last.sum(
            "gilwatch_lost_events_total", reason="missed_switch"
        )
        assert 20002 - lost <= started <= 20002, (started, lost)
        assert exporter.descriptors() <= settled[0] + 4
        wait_for("memory is given back", lambda: exporter.resident_kib() < settled[1] + 2048)
