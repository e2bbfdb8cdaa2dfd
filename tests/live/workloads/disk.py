# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A thread that waits for the disk that --directory is on: --how direct reads a file past the page
cache, --how fsync writes to it and waits until that is stored.
"""

import mmap
import os
import random

from common import Work, arguments, work_a_little

BLOCK = 4096
BLOCKS = 4096


def read_directly(steady, work, path):
    with open(path, "wb") as file:
        for _ in range(BLOCKS // 256):
            file.write(os.urandom(BLOCK * 256))
        file.flush()
        os.fsync(file.fileno())
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECT)
    buffer = mmap.mmap(-1, BLOCK)  # O_DIRECT wants its buffers aligned
    steady()
    while not work.over:
        os.preadv(descriptor, [buffer], random.randrange(BLOCKS) * BLOCK)
        work_a_little()


def write_and_sync(steady, work, path):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    block = os.urandom(BLOCK)
    steady()
    while not work.over:
        os.pwrite(descriptor, block, random.randrange(256) * BLOCK)
        os.fsync(descriptor)
        work_a_little()


options = arguments(__doc__, directory=None, how="direct")
work = Work()
path = os.path.join(options.directory, "disk.%d" % os.getpid())
how = {"direct": read_directly, "fsync": write_and_sync}[options.how]
work.start("disk", how, work, path)
work.wait_for_the_end()
work.join()
os.unlink(path)
work.end()
