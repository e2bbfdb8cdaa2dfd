# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads that sleep, and wake up once a second to count."""

import argparse
import random
import threading
import time

from asked import serve, start

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=1)
options = parser.parse_args()
threading.stack_size(64 << 10)
wakes = [0]


def doze():
    time.sleep(random.random())
    while True:
        time.sleep(1)
        wakes[0] += 1


for _ in range(options.threads - 1):
    start(doze)
time.sleep(1)
serve(lambda: {"count": wakes[0]})
