# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Many threads that wake up every few milliseconds and compute for some 50 µs: more than one GIL can
do, so that each of them waits for it each time."""

import argparse
import time

from asked import serve, start

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, default=200)
parser.add_argument("--every", type=float, default=0.005)
parser.add_argument("--loops", type=int, default=2000)
options = parser.parse_args()
counts = [0] * options.threads


def wake(number):
    loops = range(options.loops)
    while True:
        time.sleep(options.every)
        for _ in loops:
            pass
        counts[number] += 1


for number in range(options.threads):
    start(wake, number)
time.sleep(0.5)
serve(lambda: {"count": sum(counts)})
