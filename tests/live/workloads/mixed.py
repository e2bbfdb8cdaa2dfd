# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A thread that computes in turn in pure Python, with the GIL, and in hashlib, without it.

The phases are of random length, so that no timer can run in step with them.
Truth: a log of [time, CPU nanoseconds in Python so far, CPU nanoseconds in hashlib so far].
"""

import hashlib
import os
import random
import time

from common import Work, arguments, now

cpu = time.thread_time_ns


def loops_per_ms():
    loops = 200000
    start = cpu()
    for _ in range(loops):
        pass
    return loops * 1e6 / (cpu() - start)


def bytes_per_ms(data):
    start = cpu()
    hashlib.sha256(data)
    return len(data) * 1e6 / (cpu() - start)


def compute(steady, work, log):
    data = memoryview(os.urandom(1 << 20) * 32)
    loops, size = loops_per_ms(), bytes_per_ms(data)
    python = native = 0
    log.append((now(), python, native))
    steady()
    while not work.over:
        start = cpu()
        for _ in range(int(loops * random.uniform(1, 20))):
            pass
        between = cpu()
        hashlib.sha256(data[: int(size * random.uniform(1, 10))])
        end = cpu()
        python += between - start
        native += end - between
        log.append((now(), python, native))


arguments(__doc__)
work = Work()
log = []
work.start("mixed", compute, work, log)
work.wait_for_the_end()
work.join()
work.end(cpu=log)
