# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Two threads of pure Python in a free-threaded build, which imports what is not ready for that.

A line on stdin sets the import off. Its truth: when that began, and was done.
"""

import os
import sys

from common import Work, arguments, now, say
from spin_thread import spin

wanted = arguments(__doc__, path=None)
sys.path.insert(0, wanted.path)
work = Work()
for number in range(2):
    work.start("spinner%d" % number, spin, work)
for steady in work.unsteady:
    steady.wait()
say(event="ready", pid=os.getpid(), tids=work.tids)
os.read(0, 100)
began = now()
import unready  # noqa: E402, F401

imported = now()
while os.read(0, 100):
    pass
work.over = True
work.end(imported=[began, imported])
