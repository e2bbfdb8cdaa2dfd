# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A ThreadPoolExecutor whose tasks wait (--work io), compute (--work cpu), or hash big blocks (--work
hash). With --threads 600 it is what asyncio would do with less.

Truth: their CPU time; how long each task that waits took.
"""

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor, wait

from situation import CpuLog, Situation, arguments, compute, now

BLOCK = b"x" * (1 << 20)
WORK = {
    "io": lambda: time.sleep(0.2),
    "cpu": lambda: compute(100000),
    "hash": lambda: hashlib.sha256(BLOCK).digest(),
}


def wait_on(work, once, name):
    waits = work.log("waits", name)
    while not work.over:
        begin = now()
        once()
        waits.append((begin, now()))


def compute_on(work, once, name):
    cpu = CpuLog(work, name)
    while not work.over:
        once()
        cpu.note()
    cpu.note(last=True)


def keep_busy(steady, work, options):
    with ThreadPoolExecutor(options.threads) as pool:
        once = WORK[options.work]
        task = wait_on if options.work == "io" else compute_on
        tasks = [pool.submit(task, work, once, str(number)) for number in range(options.threads)]
        steady()
        wait(tasks)


options = arguments(__doc__, threads=4, work="io")
work = Situation()
work.start("user", keep_busy, work, options)
work.run()
