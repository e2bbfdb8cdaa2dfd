# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Watches a gilwatch until it ends, and says how its probes were attached: the kernel describes a
multi link in its fdinfo; perf events there are one a CPU for the sampler, and one a probe."""

import os
import sys
import time


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def is_multi_link(fdinfo):
    return "uprobe_multi" in fdinfo or "link_type:\t12\n" in fdinfo


def how(pid):
    """None: it has ended. Empty: no probes are seen."""
    directory = "/proc/%s/" % pid
    events = 0
    try:
        for fd in os.listdir(directory + "fd"):
            if is_multi_link(read(directory + "fdinfo/" + fd)):
                return "by multi link"
            events += os.readlink(directory + "fd/" + fd) == "anon_inode:[perf_event]"
    except FileNotFoundError:
        # A descriptor that was closed meanwhile, or the process is gone.
        return "" if os.path.exists(directory + "fd") and os.listdir(directory + "fd") else None
    return "by perf events" if events > os.cpu_count() else ""


def main():
    seen = found = ""
    while found is not None:
        found = how(sys.argv[1])
        seen = found or seen
        time.sleep(0.1)
    print("  %-16s %s" % ("probes", seen or "none seen"))


main()
