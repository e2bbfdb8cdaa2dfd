# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A pool of processes that compute, by each of multiprocessing's ways to start them.

Its truth: of each worker the CPU time that the kernel counted, from its first line on.
"""

import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from common import arguments, now, say


def compute(seconds):
    """Pure Python for so long, then a sleep of the same length."""
    began = now()
    while now() - began < seconds * 1e9:
        pass
    time.sleep(seconds)
    return os.getpid(), time.process_time()


def pool(kind, method):
    context = multiprocessing.get_context(method)
    if kind == "executor":
        executor = ProcessPoolExecutor(2, mp_context=context)
        return executor.map, executor.shutdown
    workers = context.Pool(2)
    return workers.map, workers.terminate


def wait_for_stdin():
    return os.read(0, 1)


if __name__ == "__main__":
    wanted = arguments(__doc__, method="fork", kind="pool", rounds=4)
    say(event="ready", pid=os.getpid(), tids={})
    wait_for_stdin()  # gilwatch is watching
    run, stop = pool(wanted.kind, wanted.method)
    cpu_s = {}
    for _ in range(wanted.rounds):
        for pid, seconds in run(compute, [0.25] * 2):
            cpu_s[pid] = max(seconds, cpu_s.get(pid, 0))
    say(event="truth", name="cpu_s", value=cpu_s)
    say(event="truth", name="end", value=now())
    while os.read(0, 100):
        pass
    stop()
    sys.exit(0)
