# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads that start and end by the thousand: eight at a time, each with a little work to do.

Truth: a log of [time, threads ended so far].
"""

import threading

from common import Work, arguments, now


def little():
    for _ in range(1000):
        pass


def churn(steady, work, log):
    count = 0
    while not work.over:
        threads = [threading.Thread(target=little) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        count += len(threads)
        log.append((now(), count))
        steady()


arguments(__doc__)
work = Work()
log = []
work.start("starter", churn, work, log)
work.wait_for_the_end()
work.join()
work.end(ended=log)
