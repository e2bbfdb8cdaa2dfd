# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A thread that does nothing at all until SIGUSR1 comes, and then spins in pure Python."""

import signal
import threading

from common import Work, arguments


def rest(steady, work, called):
    steady()
    called.wait()
    while not work.over:
        pass


arguments(__doc__)
work = Work()
called = threading.Event()
signal.signal(signal.SIGUSR1, lambda *_: called.set())
work.start("resting", rest, work, called)
work.wait_for_the_end()
called.set()
work.join()
work.end()
