# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Interpreters with GILs of their own that come and go, some at a time (3.12 and later).

To be run with MALLOC_MMAP_THRESHOLD_=100000: then each is in a mapping of its own, and none gets the
address of one that has gone, for its hole is filled.
"""

import mmap
import os
import threading
import time

from common import Work, arguments
from interpreters import interpreters, make, run

CODE = """
import time
end = time.monotonic() + %f
while time.monotonic() < end:
    pass
"""


def compute(seconds):
    interpreter = make()
    run(interpreter, CODE % seconds)
    interpreters.destroy(interpreter)


if __name__ == "__main__":
    wanted = arguments(__doc__, together=6, rounds=4, seconds=0.6)
    work = Work()
    made = 0
    plugs = []

    def rounds():
        global made, plugs
        for _ in range(wanted.rounds):
            threads = [
                threading.Thread(target=compute, args=(wanted.seconds,))
                for _ in range(wanted.together)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            made += wanted.together
            plugs += [mmap.mmap(-1, 256 << 10) for _ in range(4 * wanted.together)]
            time.sleep(0.6)

    worker = threading.Thread(target=rounds, daemon=True)
    print('{"event": "ready", "pid": %d, "tids": {}}' % os.getpid(), flush=True)
    os.read(0, 1)
    worker.start()
    while os.read(0, 100):
        pass
    worker.join(30)
    work.end(made=made)
