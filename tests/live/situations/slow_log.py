# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads that log to a file on --directory whose every line is synced, as some handlers do.

Truth: how long each logging call took.
"""

import logging
import os

from situation import Situation, arguments, compute, now


class SyncedHandler(logging.FileHandler):
    def flush(self):
        super().flush()
        os.fsync(self.stream.fileno())


def log_on(steady, work, name):
    waits = work.log("waits", name)
    logger = logging.getLogger("app")
    steady()
    while not work.over:
        begin = now()
        logger.info("%s has done something: %s", name, "x" * 2000)
        waits.append((begin, now()))
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
