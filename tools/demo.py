# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A small contended program to look at: two threads that compute in pure Python, and one that wants
to wake up every millisecond. By itself the third would be on time; beside the other two it has to
ask for the GIL after every sleep, and gets it only when a spinner is made to let go."""

import sys
import threading
import time


def spin():
    count = 0
    while True:
        count += 1


def heartbeat():
    while True:
        time.sleep(0.001)


for work, name in (spin, "spinner-1"), (spin, "spinner-2"), (heartbeat, "heartbeat"):
    threading.Thread(target=work, name=name, daemon=True).start()
print("ready", flush=True)
time.sleep(float(sys.argv[1]) if len(sys.argv) > 1 else 60)  # then the daemon threads end with it
