# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A thread that sleeps 10, 20 and 50 ms in turn. Truth: [start, end] of every sleep, as measured."""

import time

from common import Work, arguments, now


def sleep(steady, work, sleeps):
    steady()
    while not work.over:
        for seconds in (0.010, 0.020, 0.050):
            start = now()
            time.sleep(seconds)
            sleeps.append((start, now()))


arguments(__doc__)
work = Work()
sleeps = []
work.start("sleeper", sleep, work, sleeps)
work.wait_for_the_end()
work.join()
work.end(sleeps=sleeps)
