# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A heartbeat that sleeps 1 ms at a time, beside --hogs threads of pure Python.

Truth: how long each sleep took.
"""

import time

from situation import Situation, arguments, compute, now


def beat(steady, work, beats):
    steady()
    while not work.over:
        begin = now()
        time.sleep(0.001)
        beats.append((begin, now()))


def hog(steady, work):
    steady()
    while not work.over:
        compute(10000)


options = arguments(__doc__, hogs=0)
work = Situation()
work.start("heartbeat", beat, work, work.log("waits", "heartbeat"))
for number in range(options.hogs):
    work.start("hog%d" % number, hog, work)
work.run()
