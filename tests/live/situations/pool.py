# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""multiprocessing.Pool (--how pool) or a ProcessPoolExecutor (--how executor) whose workers compute
(--work cpu) or wait (--work io). With --late 1 it is made once a line comes on stdin.

Truth: the workers' CPU time, and how long they have slept, in a log each.
"""

import multiprocessing
import os
import threading
import time
from concurrent.futures import ProcessPoolExecutor

from situation import Situation, arguments, compute, now

TASK_NS = 200000000


slept_ns = 0  # of this process


def sleep():
    global slept_ns
    begin = now()
    time.sleep(0.02)
    slept_ns += now() - begin


def task(kind):
    end = now() + TASK_NS
    while now() < end:
        if kind == "cpu":
            compute(5000)
        else:
            sleep()
    return os.getpid(), now(), time.process_time_ns(), slept_ns


def make_pool(options):
    if options.how == "executor":
        return ProcessPoolExecutor(options.processes)
    return multiprocessing.get_context("fork").Pool(options.processes)


def keep_busy(steady, work, options, begin):
    logs = work.facts_at_the_end.setdefault("workers", {})
    if options.late:
        steady()
    begin.wait()
    with make_pool(options) as pool:
        while not work.over:
            for pid, *entry in pool.map(task, [options.work] * options.processes):
                logs.setdefault(pid, []).append(entry)
            steady()


options = arguments(__doc__, processes=2, how="pool", work="cpu", late=0)
work = Situation()
begin = threading.Event()
if not options.late:
    begin.set()
work.on_line = begin.set
work.start("user", keep_busy, work, options, begin)
work.run()
