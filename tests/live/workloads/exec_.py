# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Two threads of pure Python, in a process that becomes another program when its stdin is closed."""

import os
import sys

from common import Work, arguments
from spin_thread import spin

arguments(__doc__)
work = Work()
for number in range(2):
    work.start("spinner%d" % number, spin, work)
work.wait_for_the_end()
os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(30)"])
