# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Two threads that compute in pure Python and so take the GIL from each other."""

import sys
import threading
import time


def spin():
    count = 0
    while True:
        count += 1


for _ in range(2):
    threading.Thread(target=spin, daemon=True).start()
print("ready", flush=True)
time.sleep(float(sys.argv[1]))  # then the daemon threads end with it
