# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads that compute without the GIL: --how sha256 or zlib, on big buffers."""

import hashlib
import os
import zlib

from common import Work, arguments


def sha256(steady, work):
    data = os.urandom(1 << 20) * 16
    while not work.over:
        hashlib.sha256(data)
        steady()


def compress(steady, work):
    data = os.urandom(1 << 16) * 64
    while not work.over:
        zlib.compress(data, 6)
        steady()


options = arguments(__doc__, threads=2, how="sha256")
work = Work()
for number in range(options.threads):
    how = {"sha256": sha256, "zlib": compress}[options.how]
    work.start("native%d" % number, how, work)
work.wait_for_the_end()
work.join()
work.end()
