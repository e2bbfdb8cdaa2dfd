# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A thread that waits on three pipes; another process writes to one of them every 20 ms.

--how: poll, epoll or select.
"""

import os
import select

from common import Work, arguments, feed


def poller(read_ends):
    poll = select.poll()
    for read_end in read_ends:
        poll.register(read_end, select.POLLIN)
    return lambda: [descriptor for descriptor, _ in poll.poll()]


def epoller(read_ends):
    epoll = select.epoll()
    for read_end in read_ends:
        epoll.register(read_end, select.EPOLLIN)
    return lambda: [descriptor for descriptor, _ in epoll.poll()]


def selecter(read_ends):
    return lambda: select.select(read_ends, [], [])[0]


def wait(steady, work, ready_ends):
    while not work.over:
        for read_end in ready_ends():
            os.read(read_end, 100)
        steady()


options = arguments(__doc__, how="poll")
work = Work()
pipes = [os.pipe() for _ in range(3)]
how = {"poll": poller, "epoll": epoller, "select": selecter}[options.how]
ready_ends = how([read_end for read_end, _ in pipes])
feed(pipes[1][1], 0.020)
work.start("poller", wait, work, ready_ends)
work.wait_for_the_end()
work.join()
work.end()
