# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What all workloads share: they start their threads, print one "ready" line once these are in
steady state, work until their stdin is closed, and then print their truth, a JSON object a line.

The truth is kept in memory until the end: printing would be work of its own. Times are those of
CLOCK_MONOTONIC in nanoseconds, as in gilwatch's "window".
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time

now = time.monotonic_ns


def say(**fields):
    os.write(1, (json.dumps(fields) + "\n").encode())


def arguments(description, **options):
    """Options as name=default; a default of None makes a string."""
    parser = argparse.ArgumentParser(description=description)
    options.setdefault("cpu", -1)
    for name, default in options.items():
        kind = str if default is None else type(default)
        parser.add_argument("--" + name, type=kind, default=default)
    parsed = parser.parse_args()
    if parsed.cpu >= 0:
        os.sched_setaffinity(0, {parsed.cpu})
    return parsed


class Work:
    def __init__(self):
        self.over = False
        self.tids = {"main": threading.get_native_id()}
        self.facts = {}
        self.workers = []
        self.unsteady = []
        self.announced = threading.Event()

    def start(self, name, function, *args):
        """Run function(steady, *args) in a thread; it calls steady() when it is in steady state."""
        steady = threading.Event()
        self.unsteady.append(steady)

        def body():
            self.tids[name] = threading.get_native_id()
            function(steady.set, *args)

        worker = threading.Thread(target=body, daemon=True)
        self.workers.append(worker)
        worker.start()

    def wait_for_the_end(self):
        """Say that all is steady; sleep in a read of stdin until it is closed."""
        for steady in self.unsteady:
            steady.wait()
        say(event="ready", pid=os.getpid(), tids=self.tids, **self.facts)
        self.announced.set()
        while os.read(0, 100):
            pass
        self.over = True

    def end(self, **truth):
        for name, value in truth.items():
            say(event="truth", name=name, value=value)
        sys.stdout.flush()
        os._exit(0)

    def join(self):
        for worker in self.workers:
            worker.join(5)


def work_a_little():
    """Two milliseconds in pure Python: what blocks in a loop should not do so 10,000 times a second,
    where the microseconds by which the kernel's books and the clock differ at each switch add up.
    """
    end = now() + 2000000
    while now() < end:
        pass


def feed(write_end, every_s):
    """A process of its own that writes a byte to a descriptor again and again."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "feed.py")
    return subprocess.Popen(
        [sys.executable, script, str(write_end), str(every_s)],
        pass_fds=[write_end],
        stdin=subprocess.DEVNULL,
    )
