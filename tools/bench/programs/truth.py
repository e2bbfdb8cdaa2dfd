# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Programs that count for themselves what a GIL tool is to find out, so far:

wall_ns of all threads but the main one, which only sleeps; wait_ns: of that, waiting for the GIL;
held_ns: the GIL held; elapsed_ns; forced: releases that somebody had to ask for.

  spin    threads of pure Python: who is not on a CPU waits for the GIL
  mixed   one thread, in turn in Python and in hashlib, which lets go of the GIL
  forced  one spinner, and a thread that sleeps: each time it wakes up the spinner has to let go
"""

import argparse
import hashlib
import os
import random
import threading
import time

from asked import now, serve, start

cpu = time.thread_time_ns


class Truth:
    def __init__(self):
        self.began_ns = now()
        self.held_ns = self.forced = 0
        self.clocks = []

    def enter(self):
        self.clocks.append(time.pthread_getcpuclockid(threading.get_ident()))

    def cpu_ns(self):
        return sum(time.clock_gettime_ns(clock) for clock in self.clocks)


def spin(truth):
    truth.enter()
    while True:
        for _ in range(1000):
            pass


def spun(truth):
    """All CPU time is with the GIL; who is not on a CPU waits for the GIL, be it in line for a CPU."""
    elapsed_ns = now() - truth.began_ns
    wall_ns = elapsed_ns * len(truth.clocks)
    on_cpu_ns = truth.cpu_ns()
    return {
        "wall_ns": wall_ns,
        "wait_ns": wall_ns - on_cpu_ns,
        "held_ns": on_cpu_ns,
        "elapsed_ns": elapsed_ns,
    }


def mix(truth):
    truth.enter()
    data = memoryview(os.urandom(4 << 20))
    while True:
        begin = cpu()
        for _ in range(random.randrange(20000, 200000)):
            pass
        truth.held_ns += cpu() - begin
        for _ in range(3):
            hashlib.sha256(data)


def mixed(truth):
    elapsed_ns = now() - truth.began_ns
    return {
        "wall_ns": elapsed_ns,
        "wait_ns": 0,
        "held_ns": truth.held_ns,
        "elapsed_ns": elapsed_ns,
    }


def sleep(truth):
    truth.enter()
    while True:
        time.sleep(0.015)
        truth.forced += 1


def forced(truth):
    return {"elapsed_ns": now() - truth.began_ns, "forced": truth.forced}


KINDS = {
    "spin": ([spin] * 4, spun),
    "mixed": ([mix], mixed),
    "forced": ([spin, sleep], forced),
}
parser = argparse.ArgumentParser()
parser.add_argument("kind", choices=KINDS)
threads, counted = KINDS[parser.parse_args().kind]
truth = Truth()
for body in threads:
    start(body, truth)
time.sleep(0.3)
serve(lambda: counted(truth))
