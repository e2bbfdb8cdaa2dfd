# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads of pure Python: each computes sums of squares, as parallel work that was meant to be faster."""

from situation import CpuLog, Situation, arguments, compute


def work_on(steady, work, name):
    cpu = CpuLog(work, name)
    steady()
    while not work.over:
        compute(10000)
        cpu.note()
    cpu.note(last=True)


options = arguments(__doc__, threads=2)
work = Situation()
for number in range(options.threads):
    work.start("worker%d" % number, work_on, work, "worker%d" % number)
work.run()
