# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads that do not run once: some sleep for an hour, some wait for an Event that never comes."""

import threading
import time

from common import Work, arguments


def sleep(steady):
    steady()
    time.sleep(3600)


def wait(steady):
    steady()
    threading.Event().wait()


options = arguments(__doc__, threads=4)
work = Work()
for number in range(options.threads):
    work.start("sleeper%d" % number, sleep)
    work.start("waiter%d" % number, wait)
time.sleep(0.05)  # the last of them is asleep by then
work.wait_for_the_end()
work.end()
