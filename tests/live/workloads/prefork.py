# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A master that has forked workers before it is ready, as servers do; they compute and sleep."""

import os
import signal
import sys
import time

from common import arguments, now, say


def serve():
    while True:
        end = now() + 20000000
        while now() < end:
            pass
        time.sleep(0.020)


wanted = arguments(__doc__, workers=2)
workers = []
for _ in range(wanted.workers):
    pid = os.fork()
    if not pid:
        serve()
    workers.append(pid)
say(event="ready", pid=os.getpid(), tids={}, workers=workers)
while os.read(0, 100):
    pass
for pid in workers:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
sys.exit(0)
