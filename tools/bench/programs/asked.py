# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What all programs of the benchmark share: they print one line when they are in steady state, and
then, for each line that they read, what they have counted so far, with the time. They end when their
stdin is closed.

Who asks reads it twice and takes the difference: between the two the program is left alone."""

import json
import os
import sys
import threading
import time

now = time.monotonic_ns


def say(**fields):
    os.write(1, (json.dumps(fields) + "\n").encode())


def start(function, *args):
    threading.Thread(target=function, args=args, daemon=True).start()


def announce(**facts):
    say(pid=os.getpid(), **facts)


def answer(counted):
    """Waits for a line, and answers it; ends the program where there will be none.

    counted: a function that returns what has been counted so far, as a dictionary."""
    if not sys.stdin.readline():
        os._exit(0)
    figures = counted()
    say(t_ns=now(), **figures)


def serve(counted, **facts):
    announce(**facts)
    while True:
        answer(counted)
