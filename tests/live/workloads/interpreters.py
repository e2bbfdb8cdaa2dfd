# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads that each run an interpreter with a GIL of its own (3.12 and later), in pure Python."""

import threading

from common import Work, arguments

try:
    import _interpreters as interpreters  # 3.13
except ImportError:
    import _xxsubinterpreters as interpreters

CODE = """
import os, time
end = time.monotonic() + %f
while time.monotonic() < end and not os.path.exists(%r):
    for _ in range(1000):
        pass
"""


def make():
    """One whose GIL is its own; 3.12 makes them isolated, which means that."""
    try:
        return interpreters.create("isolated")
    except TypeError:
        return interpreters.create(isolated=True)


def run(interpreter, code):
    run_string = getattr(interpreters, "exec", None) or interpreters.run_string
    run_string(interpreter, code)


def compute(steady, work, flag):
    interpreter = make()
    steady()
    run(interpreter, CODE % (60, flag))


if __name__ == "__main__":
    import os
    import tempfile

    wanted = arguments(__doc__, interpreters=2, late=0)
    work = Work()
    flag = tempfile.mktemp()
    for number in range(wanted.interpreters):
        work.start("worker%d" % number, compute, work, flag)

    def late():
        import time

        time.sleep(wanted.late)
        interpreter = make()
        run(interpreter, CODE % (60, flag))

    if wanted.late:
        threading.Thread(target=late, daemon=True).start()
    work.wait_for_the_end()
    open(flag, "w").close()
    for worker in work.workers:
        worker.join(5)
    os.unlink(flag)
    work.end()
