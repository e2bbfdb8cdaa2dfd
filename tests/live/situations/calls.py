# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A thread (or --callers of them) that calls C in a loop, beside --spinners threads of pure Python.
--how pydll-sleep and cdll-sleep: usleep(20 ms), with and without the GIL; pydll-spin: a loop of --ms;
pydll-write: a synced write to --directory; deadlock: the call joins a thread whose callback wants the GIL.

Truth: the calls' begins and ends, as seen here (before the one the GIL may be given away, after the
other it is wanted again); of the writes, how long they were off the CPU, as seen in C; of the deadlock
its begin, said ahead.
"""

import ctypes
import os
import time

from situation import Situation, arguments, compute, compute_on, now, say


def sleeper(dll):
    return lambda options: lambda: dll(None).usleep(20000)


def spinner(options):
    library = ctypes.PyDLL(options.library)
    return lambda: library.spin_ms(options.ms)


def writer(options):
    library = ctypes.PyDLL(options.library)
    library.write_synced.restype = ctypes.c_longlong
    path = os.path.join(options.directory, "held.%d" % os.getpid())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    os.unlink(path)
    data = b"x" * (1 << 20)
    return lambda: library.write_synced(descriptor, data, len(data))


def deadlock(options):
    library = ctypes.PyDLL(options.library)
    callback = ctypes.CFUNCTYPE(None)(lambda: None)
    return lambda: library.join_callback(callback)


KINDS = {
    "pydll-sleep": sleeper(ctypes.PyDLL),
    "cdll-sleep": sleeper(ctypes.CDLL),
    "pydll-spin": spinner,
    "pydll-write": writer,
    "deadlock": deadlock,
}


def call_for_good(steady, work, once):
    """Nothing can be said once it is stuck."""
    steady()
    work.announced.wait()
    time.sleep(0.5)
    say(event="truth", name="stuck", value=now())
    once()


def call(steady, work, name, options):
    calls = work.log("calls", name)
    off_cpu, total = work.log("off_cpu", name), 0
    once = KINDS[options.how](options)
    if options.how == "deadlock":
        return call_for_good(steady, work, once)
    steady()
    off_cpu.append((now(), total))
    while not work.over:
        begin = now()
        total += once() or 0
        calls.append((begin, now()))
        off_cpu.append((calls[-1][1], total))
        if options.rest:
            time.sleep(options.rest)
        else:
            compute(2000)


options = arguments(__doc__, how="cdll-sleep", callers=1, spinners=0, ms=300, rest=0.0, library=None, directory=None)
work = Situation()
for number in range(options.callers):
    name = "caller%d" % number if number else "caller"
    work.start(name, call, work, name, options)
for number in range(options.spinners):
    work.start("spinner%d" % number, compute_on, work, "spinner%d" % number)
work.run()
