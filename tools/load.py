#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the exporter takes over many threads: the time of a scrape, memory, and CPU time while nobody asks.

    sudo tools/load.py

The threads sleep at first, and then wake up ten times a second each. Other work on the machine makes
the figures larger.
"""

import argparse
import pathlib
import statistics
import sys
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tests" / "live"))

from exporter import Exporter, Programs, need_parser, wait_for  # noqa: E402
from soak import memory_of_maps_kib  # noqa: E402

SETTLE_S = 10  # probes come, caches fill
SCRAPES = 30

THREADS = """
import sys, threading, time
def live(pause):
    while True:
        time.sleep(pause)
for _ in range(int(sys.argv[1]) - 1):
    threading.Thread(target=live, args=(float(sys.argv[2]),), daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
"""


def cpu_s(pid):
    """The time of all its threads on CPUs, to the nanosecond (CPUCLOCK_SCHED of a process)."""
    return time.clock_gettime(~pid << 3 | 2)


def measure(what, pause_s, options, engine):
    with Programs() as programs, Exporter("--comm", programs.comm, *engine) as exporter:
        for _ in range(options.processes):
            programs.start(THREADS, options.threads // options.processes, pause_s)
        for process in programs.processes:
            process.stdout.readline()
        threads = options.threads // options.processes * options.processes
        wait_for(
            "all are found",
            lambda: exporter.scrape().get("gilwatch_threads", group=programs.comm) == threads,
        )
        time.sleep(SETTLE_S)
        waits, used_s = [], cpu_s(exporter.pid)
        for _ in range(SCRAPES):
            time.sleep(0.5)  # whoever asks within 100 ms gets the answer before
            begun = time.monotonic()
            exporter.get("/metrics")
            waits.append(1e3 * (time.monotonic() - begun))
        scrape_s = (cpu_s(exporter.pid) - used_s) / SCRAPES
        look_s = exporter.scrape().get("gilwatch_scrape_duration_seconds")
        time.sleep(1)
        used_s, begun = cpu_s(exporter.pid), time.monotonic()
        time.sleep(options.idle)
        idle = (cpu_s(exporter.pid) - used_s) / (time.monotonic() - begun)
        exporter.scrape()
        peak_kib = exporter.resident_kib()
        time.sleep(2)  # what a look takes for a moment is given back when there is time
        print(
            "%d threads in %d processes, %s: scrape %.1f ms at best, %.1f median, %.1f at worst, "
            "%.1f ms of CPU time (%.1f ms of the last for the look); memory %.1f MiB, %.1f after a scrape, and %.1f in maps; "
            "%.2f %% of a core while nobody asks"
            % (
                *(threads, options.processes, what),
                *(min(waits), statistics.median(waits), max(waits), 1e3 * scrape_s, 1e3 * look_s),
                exporter.resident_kib() / 1024,
                peak_kib / 1024,
                memory_of_maps_kib(exporter.pid) / 1024,
                100 * idle,
            ),
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=50)
    parser.add_argument("--engine", default=None, help="as in gilwatch export")
    parser.add_argument("--idle", type=float, default=30, metavar="SECONDS", help="without a scrape")
    options = parser.parse_args()
    need_parser()
    engine = ["--engine=" + options.engine] if options.engine else []
    measure("asleep", 3600, options, engine)
    measure("awake ten times a second each", 0.1, options, engine)


if __name__ == "__main__":
    sys.exit(main())
