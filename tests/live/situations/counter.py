# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""counter += 1 in many threads, with a lock (--how lock) or without (--how bare)."""

import threading

from situation import CpuLog, Situation, arguments

counter = 0


def count(steady, work, name, lock):
    global counter
    cpu = CpuLog(work, name)
    steady()
    while not work.over:
        if lock:
            for _ in range(1000):
                with lock:
                    counter += 1
        else:
            for _ in range(5000):
                counter += 1
        cpu.note()
    cpu.note(last=True)


options = arguments(__doc__, threads=4, how="bare")
work = Situation()
lock = threading.Lock() if options.how == "lock" else None
for number in range(options.threads):
    work.start("counter%d" % number, count, work, "counter%d" % number, lock)
work.run()
