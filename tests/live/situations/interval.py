# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads of pure Python under a switch interval (--seconds; 0: the default), beside --heartbeats
threads that want to wake up every 10 ms. A line on stdin changes the interval to --then.

Truth: when the GIL passed to another thread. Each thread looks whether it was the last to look: under
the GIL that is exact.
"""

import sys
import time

from situation import Situation, arguments, now


def look(turn, me, passed):
    if turn[0] != me:
        turn[0] = me
        passed.append(now())


def work_on(steady, work, me, turn, passed):
    steady()
    while not work.over:
        look(turn, me, passed)


def beat(steady, work, me, turn, passed):
    steady()
    while not work.over:
        time.sleep(0.01)
        look(turn, me, passed)


options = arguments(__doc__, threads=2, seconds=0.0, then=0.0, heartbeats=0)
if options.seconds:
    sys.setswitchinterval(options.seconds)
work = Situation()
turn, passed = [None], work.log("passed", "gil")
for number in range(options.threads):
    work.start("worker%d" % number, work_on, work, number, turn, passed)
for number in range(options.heartbeats):
    work.start("heartbeat%d" % number, beat, work, -1 - number, turn, passed)


def change():
    sys.setswitchinterval(options.then)
    work.log("changed", "at").append(now())


work.on_line = change
work.run()
