# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""An asyncio server's loop: twenty clients that each wait 10 ms at a time, and one handler that
computes for --busy milliseconds twice a second.

Truth: the CPU time of each of that handler's runs.
"""

import asyncio

from situation import Situation, arguments, compute, cpu_of_thread, now


async def client(work):
    while not work.over:
        await asyncio.sleep(0.01)


async def handler(work, options, runs):
    while not work.over:
        await asyncio.sleep(0.5)
        begin = cpu_of_thread()
        end = begin + options.busy * 1000000
        while cpu_of_thread() < end:
            compute(1000)
        runs.append((now(), cpu_of_thread() - begin))


async def serve(steady, work, options, runs):
    clients = [asyncio.ensure_future(client(work)) for _ in range(20)]
    steady()
    await handler(work, options, runs)
    for each in clients:
        each.cancel()


def run_loop(steady, work, options, runs):
    asyncio.run(serve(steady, work, options, runs))


options = arguments(__doc__, busy=200)
work = Situation()
work.start("loop", run_loop, work, options, work.log("runs", "handler"))
work.run()
