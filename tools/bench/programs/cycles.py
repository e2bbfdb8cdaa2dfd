# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A thread that releases and takes the GIL as often as it can, by os.write and os.read on a pipe of
its own; with a rate it computes between them, as much as makes that rate where nobody looks on.

A thread that gives the GIL away more often than every interval starves others of it: each release wakes
the waiter, whose time-out begins anew. So nobody else waits for it: the thread hears of questions itself."""

import argparse
import os
import select
import threading

from asked import announce, answer, now, start

BATCH_NS = 500000


class Cycles:
    def __init__(self, rate):
        self.read_end, self.write_end = os.pipe()
        self.count = 0
        self.work = 0
        pair_ns = self.time_of(2000)
        if rate:
            self.work = max(0, int((2e9 / rate - pair_ns) / self.loop_ns()))
        self.batch = max(1, int(BATCH_NS / (2e9 / rate if rate else pair_ns)))

    def pairs(self, number):
        read, write, read_end, write_end = os.read, os.write, self.read_end, self.write_end
        work = self.work
        for _ in range(number):
            write(write_end, b"x")
            read(read_end, 1)
            for _ in range(work):
                pass

    def time_of(self, number):
        """Of one pair, in nanoseconds: the best of some tries."""
        best = None
        for _ in range(20):
            begin = now()
            self.pairs(number)
            took = (now() - begin) / number
            best = took if best is None else min(best, took)
        return best

    def loop_ns(self):
        self.work = 20000
        with_work = self.time_of(20)
        self.work = 0
        return (with_work - self.time_of(2000)) / 20000

    def run(self):
        asked = select.poll()
        asked.register(0, select.POLLIN)
        while True:
            self.pairs(self.batch)
            self.count += 2 * self.batch
            if asked.poll(0):
                answer(lambda: {"count": self.count})


parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float, default=0)
cycles = Cycles(parser.parse_args().rate)
announce()
start(cycles.run)
threading.Event().wait()
