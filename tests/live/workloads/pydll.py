# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A thread that calls usleep(50 ms) without releasing the GIL, again and again, with a rest of 20 ms
without it in between, beside threads of pure Python.

Truth: when each call began. (When it ends cannot be seen from here: the thread gives way to the
others before it can read the clock.)
"""

import ctypes
import time

from common import Work, arguments, now
from spin_thread import spin


def hold(steady, work, calls):
    usleep = ctypes.PyDLL(None).usleep
    usleep(1)
    steady()
    while not work.over:
        calls.append(now())
        usleep(50000)
        time.sleep(0.020)


options = arguments(__doc__, spinners=1)
work = Work()
calls = []
work.start("holder", hold, work, calls)
for number in range(options.spinners):
    work.start("spinner%d" % number, spin, work)
work.wait_for_the_end()
work.join()
work.end(calls=calls)
