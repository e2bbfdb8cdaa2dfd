# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads with names of all kinds, each of which is its truth: by tid."""

import os
import threading

from common import Work, arguments

NAMES = (
    "worker-1",
    "a name that is longer than the kernel's fifteen",
    "n\u00e4m\u00e9",
    "\u540d\u524d",
    "\U0001f40d snake",
    "new\nline \x1b[2J",
    "lone \udc80 surrogate",
    "\u00e9" * 40,
    "x" * 100,
)


class Slotted(threading.Thread):
    """An attribute more than the others, and a dict that is looked at: other layouts of the same."""

    def __init__(self, **how):
        super().__init__(**how)
        self.more = 1
        self.__dict__["another"] = 2


if __name__ == "__main__":
    wanted = arguments(__doc__, main=None)
    work = Work()
    names = {}
    ends = threading.Event()

    def body(name):
        names[threading.get_native_id()] = name
        started.release()
        ends.wait()

    started = threading.Semaphore(0)
    kinds = [threading.Thread, Slotted]
    for number, name in enumerate(NAMES):
        kind = kinds[number % 2]
        kind(target=body, args=(name,), name=name, daemon=True).start()
        started.acquire()
    renamed = threading.Thread(target=body, args=("renamed later",), daemon=True)
    renamed.start()
    started.acquire()
    renamed.name = "renamed later"
    unnamed = threading.Thread(target=body, args=(None,), daemon=True)
    unnamed.start()
    started.acquire()
    names[unnamed.native_id] = unnamed.name
    names[os.getpid()] = "MainThread"
    if wanted.main:
        threading.current_thread().name = names[os.getpid()] = wanted.main
    work.facts["names"] = names
    work.wait_for_the_end()
    work.end()
