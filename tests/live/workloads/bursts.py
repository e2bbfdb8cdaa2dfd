# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A thread that is in turn fast, with as many GIL cycles as it can make, and slow, with a hundred a
second between which it spins. SIGUSR1 takes it from one to the other; with --period it goes there by
itself, every so many seconds.

Truth: a log of [time, cycles so far], every 500 cycles and at each turn.
"""

import os
import signal
from array import array

from common import Work, arguments, now

EVERY = 500
SLOW_NS = 10000000


def cycle(write_end, read_end):
    os.write(write_end, b"x")
    os.read(read_end, 1)


class Turns:
    def __init__(self, period_s):
        self.fast = True
        self.period_ns = int(period_s * 1e9)
        self.turn_ns = now() + self.period_ns

    def turn(self, *_):
        self.fast = not self.fast

    def look(self):
        if self.period_ns and now() >= self.turn_ns:
            self.turn_ns += self.period_ns
            self.turn()


def go(steady, work, turns, log):
    read_end, write_end = os.pipe()
    count = 0
    steady()
    while not work.over:
        log.extend([now(), count])
        turns.look()
        if turns.fast:
            for _ in range(EVERY):
                cycle(write_end, read_end)
            count += 2 * EVERY
        else:
            end = now() + SLOW_NS
            while now() < end:
                pass
            cycle(write_end, read_end)
            count += 2


options = arguments(__doc__, period=0.0)
work = Work()
turns = Turns(options.period)
log = array("q")
signal.signal(signal.SIGUSR1, turns.turn)
work.start("bursts", go, work, turns, log)
work.wait_for_the_end()
work.join()
work.end(cycles={"bursts": list(zip(log[0::2], log[1::2]))})
