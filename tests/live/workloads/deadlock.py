# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Two threads, each with a lock that the other one wants, for ever."""

import threading

from common import Work, arguments


def embrace(steady, mine, other, both):
    with mine:
        both.wait()
        steady()
        other.acquire()


arguments(__doc__)
work = Work()
locks = [threading.Lock(), threading.Lock()]
both = threading.Barrier(2)
work.start("one", embrace, locks[0], locks[1], both)
work.start("other", embrace, locks[1], locks[0], both)
work.wait_for_the_end()
work.end()
