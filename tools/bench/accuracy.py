# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the tools tell of the GIL, beside what the program itself counted meanwhile."""

import observers
from observers import NotAtHand, Observed
from programs import Program

FIGURES = {
    "spin": ("gil_wait", "held"),
    "mixed": ("gil_wait", "held"),
    "forced": ("forced_per_s",),
}
THREADS = {"spin": 4, "mixed": 1, "forced": 2}


def truth_of(grown):
    elapsed_ns = grown["elapsed_ns"]
    told = {}
    if "wall_ns" in grown:
        told["gil_wait"] = grown["wait_ns"] / grown["wall_ns"]
        told["held"] = grown["held_ns"] / elapsed_ns
    if "forced" in grown:
        told["forced_per_s"] = grown["forced"] * 1e9 / elapsed_ns
    return told


def compare(program, kind, tool, seconds, root="/"):
    """(what it tells, the truth, why it does not)."""
    try:
        with Observed(tool, program.pid, root) as observed:
            truth = truth_of(program.over(seconds))
    except NotAtHand as reason:
        return {}, {}, "not at hand: %s" % reason
    try:
        return observed.told(THREADS[kind]), truth, None
    except NotAtHand as reason:
        return {}, truth, str(reason)


def rows_of(kind, tool, told, truth, reason):
    for figure in FIGURES[kind]:
        value = told.get(figure)
        yield {
            "workload": kind,
            "figure": figure,
            "tool": tool.name,
            "told": value,
            "truth": truth.get(figure),
            "reason": reason or (None if value is not None else "it does not tell"),
        }


def measure(beds, seconds):
    """beds: (tool, words, root) each."""
    rows = []
    for kind in FIGURES:
        for tool, words, root in beds:
            if tool.name in observers.NO_TOOLS:
                continue
            if not tool.tells:
                compared = {}, {}, "it does not tell"
            elif words is None:
                compared = {}, {}, "not at hand: %s" % root
            else:
                with Program("truth", kind, words=words, root=root) as program:
                    compared = compare(program, kind, tool, seconds, root)
            rows += rows_of(kind, tool, *compared)
    return rows
