#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs the exporter for a long time over processes and threads that come and go, some of which map files
made to hurt who reads them; scrapes it, and says whether anything grew: descriptors, memory, BPF
objects, slots. In the first minute and in each tenth after it, 500 processes start and end.

    sudo tools/soak.py --minutes 30
"""

import argparse
import json
import pathlib
import random
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tests" / "live"))

from exporter import Exporter, Programs, assert_laws, assert_nothing_fell, need_parser, wait_for  # noqa: E402
from hostile import Bombs  # noqa: E402

SETTLE_S = 60  # caches fill and the allocator finds its size before anything is compared

BURST_EVERY_S, BURST_S, BURST_PROCESSES = 600, 60, 500
BOMB_EVERY_S, BOMBS_AT_A_TIME = 10, 3

# Threads by the hundred, in processes that last from a moment to half a minute.
CHURN = """
import os, random, sys, threading, time
end = time.monotonic() + float(sys.argv[1])
def live():
    until = time.monotonic() + random.random() * 0.2
    while time.monotonic() < until:
        sum(range(500))
        time.sleep(0.002)
while time.monotonic() < end:
    threads = [threading.Thread(target=live) for _ in range(10)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    if random.random() < 0.1 and not os.fork():
        live()
        os._exit(0)
"""


def bpf_objects(pid):
    """Programs, maps and links that a process has descriptors of, by kind."""
    counts = {"program": 0, "map": 0, "link": 0}
    for info in pathlib.Path("/proc/%d/fdinfo" % pid).iterdir():
        try:
            text = info.read_text()
        except OSError:
            continue
        for kind, mark in (("program", "prog_tag:"), ("map", "map_type:"), ("link", "link_type:")):
            counts[kind] += mark in text
    return counts


def memory_of_maps_kib(pid):
    total = 0
    for info in pathlib.Path("/proc/%d/fdinfo" % pid).iterdir():
        try:
            fields = dict(line.split(":", 1) for line in info.read_text().splitlines())
        except (OSError, ValueError):
            continue
        if "map_type" in fields:
            total += int(fields.get("memlock", "0")) // 1024
    return total


def look(exporter):
    return {
        "descriptors": exporter.descriptors(),
        "resident_kib": exporter.resident_kib(),
        "maps_kib": memory_of_maps_kib(exporter.pid),
        **bpf_objects(exporter.pid),
    }


class Due:
    """True whenever so many seconds have passed."""

    def __init__(self, every_s):
        self.every_s = every_s
        self.at = time.monotonic()

    def __bool__(self):
        due = time.monotonic() >= self.at
        if due:
            self.at += self.every_s
        return due


def churn(programs, bombs, exporter, seconds, scrape_every_s):
    """Keeps some processes going; returns how many it started, and the slowest scrape."""
    started, before, slowest_s = 0, exporter.scrape(), 0
    begun = time.monotonic()
    scrape, bomb = Due(scrape_every_s), Due(BOMB_EVERY_S)
    burst = Due(BURST_S / BURST_PROCESSES)
    while time.monotonic() < begun + seconds:
        for process in [process for process in programs.processes if process.poll() is not None]:
            process.stdin.close()
            process.stdout.close()
            programs.processes.remove(process)
        if len(programs.processes) < 8:
            programs.start(CHURN, random.choice((0.1, 0.5, 2, 30)))
            started += 1
        if burst and (time.monotonic() - begun) % BURST_EVERY_S < BURST_S:
            programs.start(CHURN, 0)
            started += 1
        if bomb:
            bombs.start()
            if len(bombs.processes) > BOMBS_AT_A_TIME:
                bombs.end_one()
        if scrape:
            at = time.monotonic()
            after = exporter.scrape()
            slowest_s = max(slowest_s, time.monotonic() - at)
            assert_laws(after)
            assert_nothing_fell(before, after)
            before = after
        time.sleep(0.02)
    return started, slowest_s


def rest(programs, bombs, exporter):
    """Until all have ended and been let go of."""
    programs.end()
    while bombs.processes:
        bombs.end_one()
    wait_for("all are let go of", lambda: exporter.scrape().sum("gilwatch_map_entries", map="processes") == 0)
    exporter.scrape()
    time.sleep(2)  # what a look takes for a moment is given back when there is time


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--engine", default=None, help="as in gilwatch export")
    parser.add_argument("--scrape-every", type=float, default=5, metavar="SECONDS")
    options = parser.parse_args()
    need_parser()
    engine = ["--engine=" + options.engine] if options.engine else []
    with (
        Programs() as programs,
        tempfile.TemporaryDirectory() as directory,
        Bombs(directory, programs.comm + "b") as bombs,
        Exporter("--comm", programs.comm + "*", *engine) as exporter,
    ):
        settle_s = min(SETTLE_S, 60 * options.minutes / 4)
        churn(programs, bombs, exporter, settle_s, options.scrape_every)
        rest(programs, bombs, exporter)
        before = look(exporter)
        print("before: %s" % json.dumps(before), flush=True)
        started, slowest_s = churn(
            programs, bombs, exporter, 60 * options.minutes, options.scrape_every
        )
        rest(programs, bombs, exporter)
        after = look(exporter)
        print("after:  %s" % json.dumps(after))
        metrics = exporter.scrape()
        print(
            "%d processes started, %d threads seen; missed: %s; lost: %s; %d files refused; "
            "slowest scrape %.0f ms; CPU %.2f s"
            % (
                started,
                metrics.sum("gilwatch_threads_started_total"),
                metrics.by("gilwatch_targets_missed_total", "reason"),
                {k: v for k, v in metrics.by("gilwatch_lost_events_total", "reason").items() if v},
                metrics.get("gilwatch_attach_failures_total", reason="target"),
                1e3 * (slowest_s - 0.11),  # it waits so long before it asks
                metrics.get("process_cpu_seconds_total"),
            )
        )
    grown = [
        kind
        for kind, value in after.items()
        # Memory may settle a little higher; objects may not.
        if value > before[kind] + (2048 if kind.endswith("_kib") else 0)
    ]
    print("grown: %s" % ", ".join(grown) if grown else "nothing grew")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
