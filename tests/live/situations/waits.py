# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads that wait: --how sleep (20 ms at a time), socket (answers of a slow server at --port), file
(writes that are synced to --directory).

Truth: each wait's begin and end.
"""

import os
import socket
import time

from situation import Situation, arguments, compute, now


def sleeper(options, name):
    return lambda: time.sleep(0.02)


def client(options, name):
    connection = socket.create_connection(("127.0.0.1", options.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask():
        connection.sendall(b"?")
        connection.recv(100)

    return ask


def writer(options, name):
    path = os.path.join(options.directory, "%s.%d" % (name, os.getpid()))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_DSYNC, 0o600)
    os.unlink(path)
    data = b"x" * (1 << 18)

    def write():
        os.pwrite(descriptor, data, 0)

    return write


def wait(steady, work, name, options):
    waits = work.log("waits", name)
    once = {"sleep": sleeper, "socket": client, "file": writer}[options.how](options, name)
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
