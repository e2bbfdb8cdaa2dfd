# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads that log to a file on --directory whose every line is synced, as some handlers do.

Truth: how long each thread waited for the handler's lock.
"""

import logging
import os
import threading

from situation import Situation, arguments, compute, now

here = threading.local()


class TimedLock:
    """A lock that notes how long a thread waits for it."""

    def __init__(self, lock):
        self.lock = lock

    def acquire(self):
        begin = now()
        self.lock.acquire()
        here.waits.append((begin, now()))

    def release(self):
        self.lock.release()

    def __enter__(self):
        self.acquire()

    def __exit__(self, *_):
        self.release()


class SyncedHandler(logging.FileHandler):
    def createLock(self):
        super().createLock()
        self.lock = TimedLock(self.lock)

    def flush(self):
        super().flush()
        if self.stream:
            os.fsync(self.stream.fileno())


def log_on(steady, work, name):
    here.waits = work.log("waits", name)
    logger = logging.getLogger("app")
    steady()
    while not work.over:
        logger.info("%s has done something: %s", name, "x" * 2000)
        compute(200)


options = arguments(__doc__, threads=4, directory=None)
path = os.path.join(options.directory, "app.%d.log" % os.getpid())
logger = logging.getLogger("app")
logger.setLevel(logging.INFO)
logger.addHandler(SyncedHandler(path))
os.unlink(path)
work = Situation()
for number in range(options.threads):
    work.start("logger%d" % number, log_on, work, "logger%d" % number)
work.run()
