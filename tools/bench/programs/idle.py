# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads that sleep, and wake up now and then to count."""

import argparse
import random
import threading
import time

from asked import serve, start

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--every", type=float, default=1)
options = parser.parse_args()
threading.stack_size(64 << 10)
wakes = [0]
made = threading.Lock()


def doze():
    with made:
        pass
    time.sleep(random.random() * options.every)
    while True:
        time.sleep(options.every)
        wakes[0] += 1


with made:
    for _ in range(options.threads - 1):
        start(doze)
time.sleep(1)
serve(lambda: {"count": wakes[0]})
