# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads that compute in C: --how hash (sha256 of big blocks), small (of blocks below 2 KiB, for which
hashlib keeps the GIL), sqlite (queries, a connection each), numpy (sums of big arrays), cdll (a loop in
--library); or that go in and out of the kernel (pipe), giving the GIL away each time.
"""

import ctypes
import hashlib
import os
import sqlite3

from situation import CpuLog, Situation, arguments


def hash_big(options):
    data = b"x" * (1 << 20)
    return lambda: hashlib.sha256(data).digest()


def hash_small(options):
    data = b"x" * 2000

    def once():
        for _ in range(100):
            hashlib.sha256(data).digest()

    return once


def query(options):
    base = sqlite3.connect(":memory:", check_same_thread=False)
    base.execute("create table numbers (a integer, b integer)")
    base.executemany("insert into numbers values (?, ?)", [(i, i * i % 977) for i in range(20000)])
    question = "select count(*), sum(x.b * x.b) from numbers x, (select 1 union select 2) y"
    return lambda: base.execute(question).fetchall()


def sum_arrays(options):
    import numpy

    array = numpy.arange(2000000, dtype=numpy.float64)
    return lambda: array.sum()


def loop_in_c(options):
    library = ctypes.CDLL(options.library)
    return lambda: library.spin_ms(20)


def pass_through_pipe(options):
    read_end, write_end = os.pipe()

    def once():
        for _ in range(100):
            os.write(write_end, b"x")
            os.read(read_end, 1)

    return once


def work_on(steady, work, name, once):
    cpu = CpuLog(work, name)
    once()
    steady()
    while not work.over:
        once()
        cpu.note()
    cpu.note(last=True)


KINDS = {
    "hash": hash_big,
    "small": hash_small,
    "sqlite": query,
    "numpy": sum_arrays,
    "cdll": loop_in_c,
    "pipe": pass_through_pipe,
}
options = arguments(__doc__, threads=2, how="hash", library=None)
work = Situation()
for number in range(options.threads):
    work.start("worker%d" % number, work_on, work, "worker%d" % number, KINDS[options.how](options))
work.run()
