# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A thread of pure Python that stands beside others."""


def spin(steady, work):
    steady()
    while not work.over:
        for _ in range(1000):
            pass
