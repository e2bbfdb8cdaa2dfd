# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads that wait: --how sleep (20 ms at a time), socket (answers of a slow server at --port), file
(reads past the page cache, of files in --directory).

Truth: each wait's begin and end.
"""

import mmap
import os
import socket
import time

from situation import Situation, arguments, compute, now

SIZE = 1 << 20


def sleeper(options, name):
    return lambda: time.sleep(0.02)


def client(options, name):
    connection = socket.create_connection(("127.0.0.1", options.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask():
        connection.sendall(b"?")
        connection.recv(100)

    return ask


def reader(options, name):
    """Past the page cache: the disk writes to the buffer, and no CPU copies it."""
    path = os.path.join(options.directory, "%s.%d" % (name, os.getpid()))
    with open(path, "wb") as file:
        file.write(b"x" * SIZE)
        os.fsync(file.fileno())
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECT)
    os.unlink(path)
    buffer = mmap.mmap(-1, SIZE)

    def read():
        os.preadv(descriptor, [buffer], 0)

    return read


def wait(steady, work, name, options):
    waits = work.log("waits", name)
    once = {"sleep": sleeper, "socket": client, "file": reader}[options.how](options, name)
    once()
    steady()
    while not work.over:
        begin = now()
        once()
        waits.append((begin, now()))
        compute(500)


options = arguments(__doc__, threads=4, how="sleep", port=0, directory=None)
work = Situation()
for number in range(options.threads):
    work.start("waiter%d" % number, wait, work, "waiter%d" % number, options)
work.run()
