# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""gilwatch beside its peers: what each costs the watched program, what gilwatch itself takes, and how
near to the truth they come. Root, a quiet machine, and an hour (--fast: 20 minutes). Writes bench.txt,
bench.json and slowdown.svg into the build directory, part by part; with --only, the parts that are
not asked for stay as the last run on this machine had them."""

import argparse
import json
import os
import subprocess
import sys
import time

import accuracy
import costs
import interest
import machine
import observers
import programs
import report
import stalls
import stats
from observers import AUTO, EMPTY, GILWATCHES, NO_TOOLS, SCHED, TOOLS, NotAtHand, Observed

FOLDER = observers.BUILD / "bench"
RESULT = FOLDER / "bench.json"
PINGPONG = (*NO_TOOLS, *GILWATCHES)
WATCHERS = [name for name in TOOLS if name != EMPTY]


class Workload:
    """A program, what is asked of it, and the targets: (figure, tool) -> at least, or at most."""

    def __init__(self, name, program, args=(), tools=WATCHERS, asked=programs.rate, targets=None):
        self.name, self.program, self.args, self.tools = name, program, args, tools
        self.asked, self.targets = asked, targets or {}
        self.figures = ["rate", "p99"] if asked is programs.under_wrk else ["rate"]


WORKLOADS = [
    Workload(
        *("cycles", "cycles"),
        targets={("rate", AUTO): ("at_least", 0.98), ("rate", SCHED): ("at_least", 0.99)},
    ),
    Workload(
        *("web", "web"),
        asked=programs.under_wrk,
        targets={
            (figure, tool): target
            for tool in (AUTO, SCHED)
            for figure, target in (("rate", ("at_least", 0.98)), ("p99", ("at_most", 1.03)))
        },
    ),
    Workload(
        *("wakers", "wakers"),
        targets={("rate", tool): ("at_least", 0.98) for tool in (AUTO, SCHED)},
    ),
    Workload(
        *("pingpong", "pingpong"),
        tools=PINGPONG,
        targets={("rate", tool): ("at_least", 0.93) for tool in (AUTO, SCHED)},
    ),
]
PARTS = [*(workload.name for workload in WORKLOADS), "costs", "accuracy", "curve"]
CURVE_RATES = (1e3, 2e4, 2e5, 0)  # 0: as many as there can be
CURVE_ROUNDS = 4  # a slowdown of 1 % shows in them
# In the plot, one row of each kind is enough.
CURVE_TOOLS = [name for name in WATCHERS if name not in (*NO_TOOLS, "py-spy 100 Hz --gil")]


def say(words):
    print("%s %s" % (time.strftime("%H:%M:%S"), words), file=sys.stderr, flush=True)


class Bench:
    def __init__(self, options):
        self.options = options
        self.words = [options.python] if options.python else machine.find_python()
        self.rounds = options.rounds or (3 if options.fast else 9)
        self.slice_s = 0.8 if options.fast else 1.2
        self.gone = {}  # why a tool is not at hand

    # -- which Python, and which process --

    def bed(self, tool):
        """(tool, words, root) to run a program for it; words is None, and why, if there is none."""
        if not tool.needs_315:
            return tool, self.words, "/"
        try:
            return (tool, *observers.python_315())
        except NotAtHand as reason:
            return tool, None, str(reason)

    # -- slices --

    def slice(self, workload, program, target, tool, root):
        """The figures of one slice; None if the tool is not at hand."""
        if tool == stats.BARE:
            time.sleep(0.1)  # what the last tool left to be cleaned up
            return workload.asked(program, self.slice_s)
        if tool in self.gone:
            return None
        try:
            with Observed(TOOLS[tool], target, root):
                if TOOLS[tool].warm_s:
                    workload.asked(program, TOOLS[tool].warm_s)
                return workload.asked(program, self.slice_s)
        except NotAtHand as reason:
            self.gone[tool] = str(reason)
            say("%s: not at hand: %s" % (tool, reason))
            return None

    def interleave(self, workload, tools, words, root, rounds):
        """Slices in their order: (round, tool, figures)."""
        measured = []
        python = None if workload.program == "pingpong" else words
        with programs.Program(workload.program, *workload.args, words=python, root=root) as program:
            with programs.Program("idle", words=self.words) as other:
                target = other.pid if workload.program == "pingpong" else program.pid
                for number, tool in stats.plan(tools, rounds):
                    figures = self.slice(workload, program, target, tool, root)
                    measured.append((number, tool, figures))
        return measured

    def ratios(self, workload, rounds):
        """By (figure, tool): the ratios; and the bare rates."""
        found, bare = {}, []
        groups = {}
        for name in workload.tools:
            _, words, root = self.bed(TOOLS[name])
            if words is None:
                self.gone[name] = root
            else:
                groups.setdefault((tuple(words), root), []).append(name)
        for (words, root), tools in groups.items():
            measured = self.interleave(workload, tools, list(words), root, rounds)
            for figure in workload.figures:
                values = [(n, tool, f and f[figure]) for n, tool, f in measured]
                for tool, ratios in stats.ratios(values).items():
                    found[figure, tool] = ratios
                if figure == "rate" and list(words) == self.words:
                    bare = [value for _, tool, value in values if tool == stats.BARE]
        return found, bare

    # -- parts --

    def speed(self, workload):
        found, bare = self.ratios(workload, self.rounds)
        for tool in workload.tools:
            for figure in workload.figures:
                ratios = found.get((figure, tool), [])
                yield self.speed_row(workload, figure, tool, ratios, stats.midmean(bare))

    def speed_row(self, workload, figure, tool, ratios, bare):
        estimated = stats.estimate(ratios)
        value, low, high = estimated or (None, None, None)
        row = {"workload": workload.name, "figure": figure, "tool": tool, "bare_per_s": bare}
        row.update(value=value, low=low, high=high, rounds=len(ratios), ratios=ratios)
        row.update(target=None, verdict=None, reason=None)
        if estimated is None:
            row["reason"] = self.gone.get(tool, "no slice of it succeeded")
        if (figure, tool) in workload.targets:
            which, limit = workload.targets[figure, tool]
            row["target"] = "%s %g" % ("≥" if which == "at_least" else "≤", limit)
            row["verdict"] = stats.judge_ratio(estimated, **{which: limit})
        return row

    def curve(self):
        """Slowdown against the rate of cycles."""
        rates = CURVE_RATES[::2] if self.options.fast else CURVE_RATES
        for rate in rates:
            say("curve: %s cycles/s" % (format(int(rate), ",") if rate else "all"))
            workload = Workload("curve", "cycles", ("--rate", rate), CURVE_TOOLS)
            found, bare = self.ratios(workload, CURVE_ROUNDS)
            for tool in CURVE_TOOLS:
                if ("rate", tool) not in found:
                    continue
                slowdowns = [1 / ratio for ratio in found["rate", tool] if ratio]
                value, low, high = stats.estimate(slowdowns)
                point = {"tool": tool, "cycles_per_s": stats.midmean(bare), "slowdown": value}
                yield {**point, "low": low, "high": high}

    def accuracy(self):
        beds = [self.bed(TOOLS[name]) for name in WATCHERS]
        return accuracy.measure(beds, 2 if self.options.fast else 5)

    def measure(self, part):
        """The rows of a part, and under which name they are kept."""
        for workload in WORKLOADS:
            if workload.name == part:
                return "speed", list(self.speed(workload))
        if part == "costs":
            parts = (costs, interest, stalls)
            return part, [row for of in parts for row in of.measure(self.words, self.options.fast)]
        return part, list(self.accuracy() if part == "accuracy" else self.curve())

    def run(self, keep):
        """Measures part by part, and keeps what there is after each."""
        result = begin(machine.describe(self.words), self.options, last_result())
        for part in self.options.only or PARTS:
            say(part)
            kind, rows = self.measure(part)
            result[kind] += rows
            result["speed"].sort(key=lambda row: PARTS.index(row["workload"]))
            keep(result)
        return result


KINDS = ("speed", "costs", "accuracy", "curve")


def last_result():
    try:
        with open(RESULT) as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def begin(described, options, last):
    """A result without rows but those of the last run that are not to be measured again."""
    result = {"schema": "gilwatch.bench.v1", "machine": described, "fast": options.fast}
    result.update((kind, []) for kind in KINDS)
    if not options.only or (last.get("machine"), last.get("fast")) != (described, options.fast):
        return result
    for kind in KINDS:
        rows = [] if kind in options.only else last[kind]
        result[kind] = [row for row in rows if row.get("workload") not in options.only]
    return result


def plot(curve, path):
    script = report.plot_script(curve, path)
    try:
        subprocess.run(["gnuplot"], input=script, text=True, check=True)
    except OSError:
        say("no plot: gnuplot is not installed (gnuplot-nox)")


def write(result, folder, docs):
    os.makedirs(folder, exist_ok=True)
    with open(RESULT, "w") as file:
        json.dump(result, file, indent=1, allow_nan=False)
        file.write("\n")
    with open(os.path.join(folder, "bench.txt"), "w") as file:
        file.write(report.text(result))
    if result["curve"]:
        plot(result["curve"], os.path.join(folder, "slowdown.svg"))
    if docs:
        with open(os.path.join(docs, "benchmarks.md"), "w") as file:
            file.write(report.markdown(result))
        if result["curve"]:
            plot(result["curve"], os.path.join(docs, "slowdown.svg"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help="fewer and shorter slices: a trial run")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="NAME", help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, help="of the speed part (9; 3 if --fast)")
    parser.add_argument("--python", help="the interpreter of the programs (one with symbols)")
    parser.add_argument("--keep", action="store_true", help="write docs/benchmarks.md and its plot")
    options = parser.parse_args()
    if os.geteuid():
        parser.error("the tools need root")
    began = time.monotonic()
    docs = str(observers.REPOSITORY / "docs") if options.keep else None
    result = Bench(options).run(lambda so_far: write(so_far, str(FOLDER), docs))
    print(report.text(result))
    say("%.0f s; the same in %s" % (time.monotonic() - began, os.path.relpath(FOLDER)))


if __name__ == "__main__":
    main()
