# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads of pure Python: each computes sums of squares, as parallel work that was meant to be faster."""

from situation import Situation, arguments, compute_on

options = arguments(__doc__, threads=2)
work = Situation()
for number in range(options.threads):
    work.start("worker%d" % number, compute_on, work, "worker%d" % number)
work.run()
