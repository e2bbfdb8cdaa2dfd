# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Children by the hundred, one after the other: each computes for a moment and ends.

Its truth: the children's CPU time by their own clocks, and with the end of each, when the kernel
takes its memory down, which is not accounted to it as a thread.
"""

import os
import resource
import struct
import subprocess
import sys
import time

from common import arguments, now, say

wanted = arguments(__doc__, children=400, others=50)
say(event="ready", pid=os.getpid(), tids={})
os.read(0, 1)
read_end, write_end = os.pipe()
before = resource.getrusage(resource.RUSAGE_CHILDREN)
own_s = 0
for _ in range(wanted.children):
    pid = os.fork()
    if not pid:
        end = now() + 3000000
        while now() < end:
            pass
        os.write(write_end, struct.pack("d", time.process_time()))
        os._exit(0)
    os.waitpid(pid, 0)
    own_s += struct.unpack("d", os.read(read_end, 8))[0]
after = resource.getrusage(resource.RUSAGE_CHILDREN)
for _ in range(wanted.others):
    subprocess.run(["true"], check=True)
used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
say(event="truth", name="cpu_s", value=[own_s, used_s])
while os.read(0, 100):
    pass
sys.exit(0)
