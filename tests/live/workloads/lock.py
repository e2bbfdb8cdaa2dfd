# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A thread that sleeps 30 ms while it holds a Lock, again and again, and one that waits for the Lock
all that time.
"""

import threading
import time

from common import Work, arguments


def hold(steady, work, lock, held, had):
    while not work.over:
        with lock:
            held.release()
            time.sleep(0.030)
        had.acquire()
        steady()


def wait(steady, work, lock, held, had):
    while not work.over:
        held.acquire()
        with lock:
            steady()
        had.release()


arguments(__doc__)
work = Work()
lock = threading.Lock()
held, had = threading.Semaphore(0), threading.Semaphore(0)
work.start("holder", hold, work, lock, held, had)
work.start("waiter", wait, work, lock, held, had)
work.wait_for_the_end()
work.end()
