# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Does as it is told by lines on its standard input: "thread" starts a thread named late, "end" lets
it end, "child" forks a process."""

import os
import sys
import threading
import time

from common import say

over = threading.Event()


def doze():
    while not over.is_set():
        time.sleep(0.02)


def fork():
    if os.fork():
        return
    # It ends with its parent, whose end of the pipe is the last one.
    while os.read(0, 100):
        pass
    os._exit(0)


say(event="ready", pid=os.getpid(), tids={"main": threading.get_native_id()})
late = None
for line in sys.stdin:
    word = line.strip()
    if word == "thread":
        late = threading.Thread(target=doze, name="late", daemon=True)
        late.start()
    elif word == "end":
        over.set()
    elif word == "child":
        fork()
