# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Prints the key figures of a summary and says what is wrong with them. The bounds are wide: an
emulated machine is slow, and stands still now and then."""

import json
import sys


def figures(summary, process):
    states = {name: value for name, value in process["states"].items() if value}
    gil = process["gils"][0]
    yield "engine", "%s (%s)" % (process["engine"], process["engine_reason"])
    yield "elapsed", process["elapsed_s"]
    yield "states", states
    yield "parallelism", process["parallelism"]
    yield "python rests on", process["basis"]["python_s"]
    yield "acquisitions", gil["acquisitions"]
    yield "forced releases", gil["forced_releases"]
    yield "holder changes", gil["holder_changes"]
    yield "hits", process["overhead"]["hits"]
    yield "check", process["check"]
    yield "verdicts", [verdict["code"] for verdict in process["verdicts"]]


def does_not_add_up(process, engine):
    check = process["check"]
    if process["engine"] != engine and engine != "auto":
        yield "the engine is %s" % process["engine"]
    if abs(check["cells_s"] - check["wall_s"]) > 0.001 * check["wall_s"]:
        yield "the cells do not sum to the wall time"


def wrong(process):
    check = process["check"]
    states = process["states"]
    gil = process["gils"][0]
    python = process["parallelism"]["python"]
    engine = process["engine"]
    if check["lost_events"]:
        yield "%d events are lost" % check["lost_events"]
    if not states["gil_wait_s"]:
        yield "nobody waited for the GIL"
    # Where the host takes an emulated CPU away, clock ticks are lost and the estimate is off.
    highest = 1.05 if engine == "uprobe" else 1.4
    if python is None or not 0.7 <= python <= highest:
        yield "python parallelism is %s" % python
    if (states["unknown_s"] or 0) > 0.05 * check["wall_s"]:
        yield "%.3f s are unknown" % states["unknown_s"]
    if engine == "uprobe" and not gil["acquisitions"]:
        yield "no acquisition was counted"


def main():
    with open(sys.argv[1]) as file:
        summary = json.load(file)
    process = summary["processes"][0]
    for name, value in figures(summary, process):
        print("  %-16s %s" % (name, value))
    problems = list(does_not_add_up(process, sys.argv[2]))
    if sys.argv[3:] != ["load"]:
        problems += wrong(process)
    for problem in problems:
        print("  WRONG: %s" % problem)
    return 1 if problems else 0


sys.exit(main())
