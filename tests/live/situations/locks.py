# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads and a lock. --how counter: += under one lock; sleep: the lock is held across 5 ms of sleep;
own: += under a lock of each thread's own; queue: workers that are idle in Queue.get; condition: a
producer and consumers; rlock: as counter, entered twice.

Truth: how long each thread waited, in acquire (--how sleep), get or wait; the CPU time of those that
count.
"""

import queue
import threading
import time

from situation import CpuLog, Situation, arguments, now

counter = 0


def count(steady, work, name, lock):
    global counter
    cpu = CpuLog(work, name)
    steady()
    while not work.over:
        for _ in range(100):
            with lock:
                counter += 1
        cpu.note()
    cpu.note(last=True)


def count_twice(steady, work, name, lock):
    global counter
    cpu = CpuLog(work, name)
    steady()
    while not work.over:
        for _ in range(100):
            with lock:
                with lock:
                    counter += 1
        cpu.note()
    cpu.note(last=True)


def sleep_with_it(steady, work, name, lock):
    waits = work.log("waits", name)
    steady()
    while not work.over:
        begin = now()
        with lock:
            waits.append((begin, now()))
            time.sleep(0.005)


def get(steady, work, name, tasks):
    waits = work.log("waits", name)
    steady()
    begin = now()
    tasks.get()
    waits.append((begin, now()))


def consume(steady, work, name, condition):
    waits = work.log("waits", name)
    steady()
    while not work.over:
        with condition:
            begin = now()
            condition.wait(1)
            waits.append((begin, now()))


def produce(steady, work, name, condition):
    steady()
    while not work.over:
        time.sleep(0.01)
        with condition:
            condition.notify()


options = arguments(__doc__, threads=4, how="counter")
work = Situation()
one, tasks, condition = threading.Lock(), queue.Queue(), threading.Condition()
again = threading.RLock()
for number in range(options.threads):
    what, on = {
        "counter": (count, one),
        "own": (count, threading.Lock()),
        "rlock": (count_twice, again),
        "sleep": (sleep_with_it, one),
        "queue": (get, tasks),
        "condition": (consume if number else produce, condition),
    }[options.how]
    work.start("worker%d" % number, what, work, "worker%d" % number, on)
work.at_the_end = lambda: [tasks.put(None) for _ in range(options.threads)]
work.run()
