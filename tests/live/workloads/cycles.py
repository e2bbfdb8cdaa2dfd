# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads that count their own GIL cycles: os.read and os.write release and take the GIL once each.

A thread that gives the GIL away more often than every interval starves others of it: each release wakes
the waiter, whose time-out begins anew. So the main thread would need up to 40 s to say that all is
ready, and to hear of the end: the loops begin when it has, and ask by themselves (poll is a cycle, too).

Truth: by thread, a log of [time, cycles so far]. --rate: cycles a second (0: as many as possible);
between them the thread spins. --every: cycles between two entries of the log. --spinners: threads of
pure Python beside it.
"""

import os
import select
import sys
from array import array

from common import Work, arguments, now
from spin_thread import spin

ASK_EVERY = 500  # cycles


def cycle(steady, work, rate, every, log):
    read_end, write_end = os.pipe()
    pause_ns = int(2e9 / rate) if rate else 0
    count = 0
    entry = every
    asked = 0
    end = select.poll()
    end.register(0, 0)
    steady()
    work.announced.wait()
    next_ns = now()
    log.extend([next_ns, count])
    while not work.over:
        os.write(write_end, b"x")
        os.read(read_end, 1)
        count += 2
        if count >= asked:
            work.over = work.over or end.poll(0)
            count += 1
            asked = count + ASK_EVERY
        if count >= entry:
            entry += every
            log.append(now())
            log.append(count)
        if pause_ns:
            next_ns += pause_ns
            if now() > next_ns + 1000000:
                next_ns = now()  # late: do not catch up in a burst
            while now() < next_ns:
                pass


options = arguments(__doc__, threads=1, rate=8000, every=2, spinners=0, interval=0.0)
if options.interval:
    sys.setswitchinterval(options.interval)
work = Work()
logs = {}
for number in range(options.threads):
    name = "cycler%d" % number
    logs[name] = array("q")
    work.start(name, cycle, work, options.rate, options.every, logs[name])
for number in range(options.spinners):
    work.start("spinner%d" % number, spin, work)
work.wait_for_the_end()
work.join()
work.end(cycles={name: list(zip(log[0::2], log[1::2])) for name, log in logs.items()})
