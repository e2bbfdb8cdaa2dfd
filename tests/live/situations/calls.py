# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A thread that calls C in a loop, beside --spinners threads of pure Python. --how pydll-sleep and
cdll-sleep: usleep(20 ms), with and without the GIL; pydll-spin: a loop of --ms; pydll-write: a synced
write to --directory; deadlock: the call joins a thread whose callback wants the GIL.

Truth: the calls' begins and ends, as seen here, and the CPU time that they took; of the deadlock its
begin, said ahead.
"""

import ctypes
import os
import time

from situation import Situation, arguments, compute, compute_on, cpu_of_thread, now, say


def sleeper(dll):
    return lambda options: lambda: dll(None).usleep(20000)


def spinner(options):
    library = ctypes.PyDLL(options.library)
    return lambda: library.spin_ms(options.ms)


def writer(options):
    library = ctypes.PyDLL(options.library)
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


def call(steady, work, options):
    calls = work.log("calls", "caller")
    on_cpu, total = work.log("cpu_in_calls", "caller"), 0
    once = KINDS[options.how](options)
    if options.how == "deadlock":
        return call_for_good(steady, work, once)
    steady()
    while not work.over:
        begin, cpu = now(), cpu_of_thread()
        on_cpu.append((begin, total))
        once()
        total += cpu_of_thread() - cpu
        calls.append((begin, now()))
        on_cpu.append((calls[-1][1], total))
        if options.rest:
            time.sleep(options.rest)
        else:
            compute(2000)


options = arguments(__doc__, how="cdll-sleep", spinners=0, ms=300, rest=0.0, library=None, directory=None)
work = Situation()
work.start("caller", call, work, options)
for number in range(options.spinners):
    work.start("spinner%d" % number, compute_on, work, "spinner%d" % number)
work.run()
