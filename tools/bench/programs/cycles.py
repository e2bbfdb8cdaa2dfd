# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A thread that releases and takes the GIL as often as it can, by os.write and os.read on a pipe of
its own; with a rate it computes between them, as much as makes that rate where nobody looks on.

It computes as programs do, with calls and a dictionary: how long an empty loop takes hangs on what the
CPU remembers of branches, so that a call of the clock before it makes it a tenth slower for milliseconds.

A thread that gives the GIL away more often than every interval starves others of it: each release wakes
the waiter, whose time-out begins anew. So nobody else waits for it: the thread hears of questions itself."""

import argparse
import os
import select
import threading

from asked import announce, answer, now, start

BATCH_NS = 20000000  # to be asked is a cycle, too


def scaled(value, by):
    return (value * by) % 1009


def compute(times):
    total, seen = 0, {}
    for i in range(times):
        key = i % 97
        seen[key] = seen.get(key, 0) + scaled(i, key)
        total += seen[key] & 3
    return total


def time_of(times, function, *args):
    """Of a call, in nanoseconds: the best of some tries."""
    best = None
    for _ in range(times):
        begin = now()
        function(*args)
        took = now() - begin
        best = took if best is None else min(best, took)
    return best


class Cycles:
    def __init__(self, rate):
        self.read_end, self.write_end = os.pipe()
        self.count = 0
        self.work = 0
        pair_ns = time_of(20, self.pairs, 2000) / 2000
        if rate:
            self.work = max(0, int((2e9 / rate - pair_ns) * 20000 / time_of(20, compute, 20000)))
        self.batch = max(1, int(BATCH_NS / (2e9 / rate if rate else pair_ns)))

    def pairs(self, number):
        read, write, read_end, write_end = os.read, os.write, self.read_end, self.write_end
        work = self.work
        for _ in range(number):
            write(write_end, b"x")
            read(read_end, 1)
            if work:
                compute(work)

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
