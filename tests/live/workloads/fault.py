# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A thread that touches pages of a mapped file that are not in memory: major page faults, which it
waits for with the GIL in its hands.

Truth: how many major faults it had, as a log of [time, faults so far].
"""

import mmap
import os
import resource

from common import Work, arguments, now, work_a_little

PAGES = 64


def touch(steady, work, path, log):
    with open(path, "w+b") as file:
        file.write(os.urandom(PAGES * mmap.PAGESIZE))
        file.flush()
        os.fsync(file.fileno())
        while not work.over:
            # Mapped pages stay in memory whatever is advised: map anew each time.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as pages:
                pages.madvise(mmap.MADV_RANDOM)  # no read-ahead
                for page in range(PAGES):
                    pages[page * mmap.PAGESIZE]
                    work_a_little()
            usage = resource.getrusage(resource.RUSAGE_THREAD)
            log.append((now(), usage.ru_majflt))
            steady()


options = arguments(__doc__, directory=None)
work = Work()
log = []
path = os.path.join(options.directory, "fault.%d" % os.getpid())
work.start("toucher", touch, work, path, log)
work.wait_for_the_end()
work.join()
os.unlink(path)
work.end(faults=log)
