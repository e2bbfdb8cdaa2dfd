# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads of pure Python."""

from common import Work, arguments
from spin_thread import spin

options = arguments(__doc__, threads=2)
work = Work()
for number in range(options.threads):
    work.start("spinner%d" % number, spin, work)
work.wait_for_the_end()
work.join()
work.end()
