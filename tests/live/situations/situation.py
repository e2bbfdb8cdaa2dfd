# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the programs of the situations share: the workloads' protocol (common.py), and logs of CPU time
and of waits, to be compared with what gilwatch says of the same window.
"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "workloads"))

from common import Work, arguments, now, say  # noqa: E402, F401

LOG_EVERY_NS = 20000000
cpu_of_thread = time.thread_time_ns


class CpuLog:
    """[time, CPU time] of a thread, about every 20 ms."""

    def __init__(self, work, name):
        self.log = work.log("cpu", name)
        self.next = 0
        self.note()

    def note(self, last=False):
        at = now()
        if at >= self.next or last:
            self.log.append((at, cpu_of_thread()))
            self.next = at + LOG_EVERY_NS


class Situation(Work):
    def __init__(self):
        super().__init__()
        self.facts_at_the_end = {}

    def log(self, kind, name):
        """A list that becomes part of the truth."""
        return self.facts_at_the_end.setdefault(kind, {}).setdefault(name, [])

    def on_line(self):
        """A line came on stdin."""

    def at_the_end(self):
        """Stdin is closed: the threads that do not look are to be told."""

    def run(self):
        """Say that all is steady, work until stdin is closed, and tell the truth."""
        for steady in self.unsteady:
            steady.wait()
        say(event="ready", pid=os.getpid(), tids=self.tids, **self.facts)
        self.announced.set()
        while os.read(0, 100):
            self.on_line()
        self.over = True
        self.at_the_end()
        self.join()
        self.end(**self.facts_at_the_end)


def compute_on(steady, work, name):
    """A thread of pure Python."""
    cpu = CpuLog(work, name)
    steady()
    while not work.over:
        compute(10000)
        cpu.note()
    cpu.note(last=True)


def compute(loops):
    """Pure Python."""
    total = 0
    for number in range(loops):
        total += number * number
    return total
