#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What gilwatch is to say of each situation, and the closing table of what it does say.

    sudo python3 tests/live/expected.py [-k PART] [--engine ENGINE]... [--view] [INTERPRETER]...
    sudo python3 tests/live/expected.py --engine auto system 3.13-trixie

Each case is a program of situations/ that measures itself: its verdicts, and a figure of gilwatch's
beside the program's own. Interpreters are those of harness.py (default: system, and 3.13 if it is
there; cases of a free-threaded build run on that alone, always). A case that fails is taken again, twice.
"""

import argparse
import sys
import time

from bench import OTHER_VERSION, Bench, look
from cases import CASES
from harness import INTERPRETERS, claim_cpus
from measure import BOTH

ATTEMPTS = 3
ROW = "%-34s %-12s %-7s %-46s %12s %12s %7s  %s"


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-k", metavar="PART", default="", help="cases whose names have this in them")
    parser.add_argument("--engine", action="append", choices=(*BOTH, "auto"), help="uprobe and sched by default")
    parser.add_argument("--view", action="store_true", help="look at the live view's screen, too")
    parser.add_argument("--verbose", action="store_true", help="what the verdicts say")
    parser.add_argument("interpreters", nargs="*", metavar="INTERPRETER")
    return parser.parse_args()


def pythons_for(case, wanted):
    if case.python:
        return [case.python]
    return wanted or [name for name in ("system", "3.13") if name in INTERPRETERS]


def engines_for(case, wanted):
    """Where auto chooses, it is one for every case."""
    return [engine for engine in wanted or BOTH if engine in (*case.engines, "auto")]


def take(bench, case, python, engine, view):
    """The first look that finds what is expected, else the last; how many it took."""
    for attempt in range(1, ATTEMPTS + 1):
        engine = None if engine == "auto" else engine
        seen = look(bench, case, INTERPRETERS[python], engine, view=view)
        if not seen.wrong:
            break
    return seen, attempt


def show(case, python, seen, attempt):
    figure = seen.figure or ("", "", "")
    cells = ["%.4g" % value if isinstance(value, float) else str(value) for value in figure[:2]]
    off = "%.1f %%" % (100 * seen.off) if seen.off is not None else ""
    verdict = "ok" if not seen.wrong else "WRONG"
    if attempt > 1:
        verdict += " (attempt %d)" % attempt
    codes = " ".join(seen.codes) + ("; all: " + " ".join(seen.family) if seen.family else "")
    print(ROW % (case.name, python, seen.process["engine"], codes, *cells, off, verdict), flush=True)
    for wrong in seen.wrong:
        print("    " + wrong)


def main():
    options = parse()
    claim_cpus()
    began, rows, bad = time.monotonic(), 0, 0
    print(ROW % ("situation", "interpreter", "engine", "verdicts", "gilwatch", "own", "off by", ""))
    with Bench() as bench:
        for case in CASES:
            if options.k not in case.name:
                continue
            for python in pythons_for(case, options.interpreters):
                for engine in engines_for(case, options.engine):
                    why = bench.why_not(case, python)
                    if why == OTHER_VERSION:
                        continue
                    if why:
                        print(ROW % (case.name, python, engine, "left out: " + why, "", "", "", ""))
                        continue
                    seen, attempt = take(bench, case, python, engine, options.view)
                    rows, bad = rows + 1, bad + bool(seen.wrong)
                    show(case, python, seen, attempt)
                    if options.verbose:
                        for text in seen.texts:
                            print("    " + text)
    print("%d rows, %d wrong; %.0f s" % (rows, bad, time.monotonic() - began))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
