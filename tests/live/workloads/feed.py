# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Writes a byte to the descriptor argv[1] every argv[2] seconds, until nobody can read it."""

import os
import sys
import time

descriptor, every_s = int(sys.argv[1]), float(sys.argv[2])
try:
    while True:
        os.write(descriptor, b"x")
        time.sleep(every_s)
except OSError:
    pass
