# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A server that takes 20 ms for each answer. Prints its port; ends with its stdin."""

import asyncio
import sys


async def answer(reader, writer):
    while await reader.read(100):
        await asyncio.sleep(0.02)
        writer.write(b"!")
        await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
