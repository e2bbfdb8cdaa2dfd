# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A heartbeat of a millisecond, that notes how late its latest beat was since it was asked last."""

import time

from asked import now, serve, start

BEAT_S = 0.001
latest = [0]
beats = [0]


def beat():
    sleep = time.sleep
    while True:
        begin = now()
        sleep(BEAT_S)
        late = now() - begin - 1000000
        if late > latest[0]:
            latest[0] = late
        beats[0] += 1


def told():
    late, latest[0] = latest[0], 0
    return {"latest_ns": late, "count": beats[0]}


start(beat)
time.sleep(0.2)
serve(told)
