# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What gilwatch adds to a context switch, and to a wake-up, of no interest: beyond an empty program at
the same event, both by the kernel's own count of how long BPF programs run."""

import contextlib
import json
import subprocess
import time

from costs import missing, row
from observers import BUILD, GILWATCH, NotAtHand, last_line
from programs import Program

STATS = "/proc/sys/kernel/bpf_stats_enabled"
WHAT = "a %s of no interest, beyond an empty program"
EVENTS = (("context switch", "at_switch", "gw_on_switch"), ("wake-up", "at_wakeup", "gw_on_wakeup"))
FEW = 1000  # what runs less often is no figure


@contextlib.contextmanager
def counted():
    """The kernel counts, which it does not do by itself."""
    before = open(STATS).read()
    try:
        open(STATS, "w").write("1")
        yield
    finally:
        open(STATS, "w").write(before)


def program_times():
    """Of each loaded program: name, run time in nanoseconds, runs."""
    asked = subprocess.run(["bpftool", "--json", "prog", "show"], capture_output=True, text=True)
    if asked.returncode:
        raise NotAtHand(last_line(asked.stderr))
    return {
        program["id"]: (program["name"], program["run_time_ns"], program["run_cnt"])
        for program in json.loads(asked.stdout)
        if "run_cnt" in program and "name" in program
    }


def run_ns(command, names):
    """How long a run of each of its programs takes on average, while it runs."""
    tool = subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(1.2)
        before = program_times()
        time.sleep(1.5)
        after = program_times()
    finally:
        tool.terminate()
        tool.wait()
    found = {}
    for key, (name, ran_ns, runs) in after.items():
        _, had_ns, had = before.get(key, (name, 0, 0))
        if name in names and runs - had >= FEW:
            found[name] = (ran_ns - had_ns) / (runs - had)
    if len(found) < len(names):
        raise NotAtHand("the kernel counts too few runs of " + " or ".join(names))
    return found


def measure_rounds(pid, times):
    empty = [BUILD / "bench" / "empty", BUILD / "bench" / "empty.bpf.o", "all"]
    gilwatch = [GILWATCH, "-p", pid, "--engine=sched", "1"]
    for _ in range(times):
        yield {
            **run_ns(empty, [name for _, name, _ in EVENTS]),
            **run_ns(gilwatch, [name for _, _, name in EVENTS]),
        }


def measure(words, fast):
    """Two processes that are not watched pass a byte to and fro."""
    tool = "gilwatch sched"
    try:
        with counted(), Program("idle", words=words) as watched, Program("pingpong", words=None):
            found = list(measure_rounds(watched.pid, 2 if fast else 7))
    except (NotAtHand, OSError) as reason:
        return [missing(WHAT % event, "ns", tool, str(reason)) for event, _, _ in EVENTS]
    rows = []
    for event, empty, own in EVENTS:
        beyond = [taken[own] - taken[empty] for taken in found]
        rows.append(row(WHAT % event, "ns", tool, beyond, 20))
        rows.append(row("an empty program there", "ns", "none", [taken[empty] for taken in found]))
    return rows
