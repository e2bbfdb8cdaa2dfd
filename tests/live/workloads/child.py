# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A thread that starts a command and waits for its end, again and again."""

import subprocess

from common import Work, arguments


def run(steady, work):
    while not work.over:
        process = subprocess.Popen(["sleep", "0.3"], stdin=subprocess.DEVNULL)
        steady()
        process.wait()


arguments(__doc__)
work = Work()
work.start("waiter", run, work)
work.wait_for_the_end()
work.join()
work.end()
