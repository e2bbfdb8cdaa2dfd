# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Many threads that wake up now and then, the first one by a name that wants to write to a terminal.

--threads: how many; --pause: milliseconds that they sleep.
"""

import threading
import time

from common import Work, arguments

HOSTILE = "\x1b[31mRED\x1b]0;X\x07"


def doze(steady, work, pause_s, name):
    threading.current_thread().name = name
    steady()
    while not work.over:
        time.sleep(pause_s)


options = arguments(__doc__, threads=20, pause=50)
work = Work()
for number in range(options.threads):
    name = HOSTILE if number == 0 else "crowd-%d" % number
    work.start("crowd-%d" % number, doze, work, options.pause / 1000, name)
work.wait_for_the_end()
work.end()
