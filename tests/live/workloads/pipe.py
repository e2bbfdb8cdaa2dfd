# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A thread in os.read on a pipe, into which another process writes a byte every 20 ms."""

import os

from common import Work, arguments, feed


def read(steady, work, read_end):
    while not work.over:
        os.read(read_end, 100)
        steady()


arguments(__doc__)
work = Work()
read_end, write_end = os.pipe()
feed(write_end, 0.020)
work.start("reader", read, work, read_end)
work.wait_for_the_end()
work.join()
work.end()
