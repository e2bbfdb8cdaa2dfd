# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Whether the target is held up while probes come and go: how late the latest beat of a heartbeat of
a millisecond is, beside the same without gilwatch just before and after."""

import json
import subprocess
import time

from costs import missing, row
from observers import AUTO, GILWATCH, UPROBE, NotAtHand, last_line
from programs import Program

SLICE_S = 2
LIMIT_MS = 5
COME_AND_GO, WINDOWS = "probes come and go", "windows of probes"
TOOL_OF = {COME_AND_GO: UPROBE, WINDOWS: AUTO}


def latest_ms(program, until):
    """The latest beat in the time that until() takes, and at least in that of a slice."""
    began = time.monotonic()
    program.ask()
    until()
    time.sleep(max(0, began + SLICE_S - time.monotonic()))
    return program.ask()["latest_ns"] / 1e6


def summary(pid, duration, engine):
    command = [GILWATCH, "summary", "-p", str(pid), "-d", duration, "--json", "--engine=" + engine]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    out, err = process.communicate(timeout=60)
    if process.returncode:
        raise NotAtHand(last_line(err))
    return json.loads(out)


def come_and_go(program):
    """Twice, within a slice."""

    def twice():
        for _ in range(2):
            finish(summary(program.pid, "200ms", "uprobe"))

    return latest_ms(program, twice), 0


def windows(program):
    """The beats alone are more than the budget pays for: after a moment there are windows only."""
    process = summary(program.pid, "%ds" % (SLICE_S + 2), "auto")
    time.sleep(1)
    late = latest_ms(program, lambda: None)
    return late, finish(process)["processes"][0]["windows"]


def bare(program):
    return latest_ms(program, lambda: None), 0


def slices(program, rounds):
    """Per kind: (latest beat, that beside it with nobody looking, windows) a round."""
    found = {COME_AND_GO: [], WINDOWS: []}
    before = bare(program)[0]
    for _ in range(rounds):
        for kind, measure in ((COME_AND_GO, come_and_go), (WINDOWS, windows)):
            late, opened = measure(program)
            after = bare(program)[0]
            found[kind].append((late, max(before, after), opened))
            before = after
    return found


def rows_of(kind, measured):
    tool, what = TOOL_OF[kind], "latest beat of a 1 ms heartbeat, %s" % kind
    rows = [row(what, "ms", tool, [late for late, _, _ in measured])]
    more = [late - beside for late, beside, _ in measured]
    rows.append(row("the same, beyond that with nobody looking", "ms", tool, more, LIMIT_MS))
    rows[-1]["reason"] = "worst of %d: %.2f" % (len(more), max(more))
    if kind == WINDOWS:
        rows[-1]["reason"] += "; %d windows" % sum(opened for _, _, opened in measured)
    return rows


def measure(words, fast):
    with Program("beat", words=words) as program:
        try:
            found = slices(program, 3 if fast else 10)
        except NotAtHand as reason:
            return [missing("latest beat of a 1 ms heartbeat", "ms", AUTO, str(reason))]
    beside = [beside for measured in found.values() for _, beside, _ in measured]
    rows = [row("latest beat of a 1 ms heartbeat, nobody looks", "ms", "bare", beside)]
    for kind, measured in found.items():
        rows += rows_of(kind, measured)
    return rows
