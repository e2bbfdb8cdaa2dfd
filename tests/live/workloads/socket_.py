# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A thread in recv on a socket, to which another process sends a byte every 20 ms.

--family pair or tcp; --timeout: seconds given to settimeout (0: none, recv blocks by itself).
"""

import socket

from common import Work, arguments, feed


def pair():
    return socket.socketpair()


def tcp():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    listener.close()
    return client, server


def receive(steady, work, ours):
    while not work.over:
        ours.recv(100)
        steady()


options = arguments(__doc__, family="pair", timeout=0.0)
work = Work()
ours, theirs = {"pair": pair, "tcp": tcp}[options.family]()
ours.settimeout(options.timeout or None)
feed(theirs.fileno(), 0.020)
work.start("receiver", receive, work, ours)
work.wait_for_the_end()
work.join()
work.end()
