# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The same measurements on every CPython of this machine, from 3.8 on.

As a program (root; gilwatch and "make live-helpers" built) it prints them as one table:

    sudo python3 tests/live/matrix.py [INTERPRETER...]
"""

import glob
import os
import re
import subprocess
import sys

from gil_checks import (
    find_cycles,
    find_holds_near_interval,
    find_queue,
    find_releases,
    find_sleep_with_the_gil,
    true_cycles,
)
from harness import (
    INTERPRETERS,
    Schedstat,
    Workload,
    claim_cpus,
    command_of,
    is_free_threaded,
    kept_directory,
    only_process,
    root_of,
    run,
    thread,
    verdict_codes,
)
from laws import Findings, find_schedstat_laws, find_schema_errors, total
from measure import BOTH, measure
from true_sites import found_sites, symbols_of, true_sites


def minor_version(name):
    """3.x as x; None for what is no Python 3."""
    version = re.match(r"3\.(\d+)", name)
    if name == "system":
        asked = subprocess.run(
            [*command_of(INTERPRETERS[name]), "--version"], capture_output=True, text=True
        )
        version = re.match(r"Python 3\.(\d+)", asked.stdout)
    return int(version.group(1)) if version else None


NAMES = [name for name in INTERPRETERS if (minor_version(name) or 0) >= 8]
WITH_GIL = [name for name in NAMES if not is_free_threaded(name)]
WITHOUT_GIL = [name for name in NAMES if is_free_threaded(name)]


# --- files ------------------------------------------------------------------------------------


def files_of(name):
    """The files that may hold the interpreter: the executable, and the libpython of its version."""
    root = root_of(INTERPRETERS[name])
    return files_by(root.rstrip("/") + command_of(INTERPRETERS[name])[-1], minor_version(name))


def files_by(executable, minor):
    prefix = os.path.dirname(os.path.dirname(executable))
    library = "libpython3.%d*.so.1.0" % minor
    places = [prefix + "/lib/" + library, prefix + "/lib/*-linux-gnu/" + library]
    return [os.path.realpath(executable)] + [file for place in places for file in glob.glob(place)]


def holds_runtime(file):
    """A python that uses a libpython holds nothing itself."""
    names = subprocess.run(["nm", "-D", "--defined-only", file], capture_output=True, text=True)
    return " _PyRuntime\n" in names.stdout


def files_with_truth(name):
    """Where the mirror has left the system's version behind, no symbols are to be had of it: then
    tools/interpreters.sh keeps the mirror's own version to stand in for it."""
    files = [file for file in files_of(name) if holds_runtime(file)]
    if name != "system" or all(map(symbols_of, files)):
        return files
    minor = minor_version(name)
    stand_ins = (kept_directory() / "root").glob("3.%d-*/usr/bin/python3.%d" % (minor, minor))
    found = [file for python in stand_ins for file in files_by(str(python), minor)]
    return [file for file in found if holds_runtime(file)] or files


def runtime_files():
    """{file: None} in order, each once."""
    names = [name for name in NAMES if not name.endswith("-gil")]
    return {file: None for name in names for file in files_with_truth(name)}


# --- measurements -----------------------------------------------------------------------------


def contended_pair(python):
    """Two threads of pure Python."""
    measured = measure("spin", "--threads", 2, python=python, seconds=3)
    find_queue(measured, 2)
    find_holds_near_interval(measured)
    return measured


def counted_cycles(python):
    """A thread that counts how often it takes the GIL."""
    measured = measure("cycles", "--rate", 8000, python=python, seconds=2, engines=["uprobe"])
    find_cycles(measured, "cycler0")
    find_releases(measured)
    return measured


def held_while_blocked(python):
    """A thread that sleeps with the GIL, beside one of pure Python."""
    measured = measure("pydll", python=python, seconds=3)
    for engine in BOTH:
        find_sleep_with_the_gil(measured, engine)
    return measured


GIL_STATES = ("python_s", "gil_wait_s", "held_off_s")


def without_gil(python, engine):
    """Two threads of pure Python, and no GIL between them. Returns the summary and the findings."""
    findings = Findings()
    with Workload("spin", "--threads", 2, python=python) as work:
        books = Schedstat(work.pid)
        try:
            answer = run("summary", "-p", work.pid, "-d", 3, "--json", "--engine=" + engine)
        finally:
            books.stop()
    summary = answer.summary()
    process = only_process(summary)
    find_schema_errors(findings, summary)
    find_schedstat_laws(findings, summary, books, work.tids.values())
    findings.true("engine is %s" % process["engine"], process["engine"] == "none")
    findings.true("the reason does not say so", "off" in process["engine_reason"])
    findings.true("gil_enabled is not false", process["python"]["gil_enabled"] is False)
    findings.near("where sums to wall", total(process["where"]), process["threads_wall_s"], 0.001)
    for state in GIL_STATES:
        findings.true("%s is not absent" % state, process["states"][state] is None)
        findings.true("%s has no reason" % state, process["states"].get(state + "_reason"))
    for number in range(2):
        where = thread(process, work.tids["spinner%d" % number])["where"]
        findings.near(
            "spinner%d runs, or could" % number,
            where["running_s"] + where["runnable_s"],
            summary["elapsed_s"],
            0.02,
        )
    codes = verdict_codes(process)
    findings.true("free_threaded is not in %s" % codes, "free_threaded" in codes)
    return summary, findings


# --- the table --------------------------------------------------------------------------------

ATTEMPTS = 3
HEADINGS = (
    "interpreter",
    "version",
    "file",
    "take_gil by",
    "sites a+r (not in drop_gil)",
    "layout by",
    "acquired / true",
    "gil_wait (s) sched, uprobe",
    "verdicts",
    "right",
)


def sites_cells(file):
    found, symbols = found_sites(file), symbols_of(file)
    counts = "%d+%d" % (len(found.acquire), len(found.release))
    if not symbols:
        return [found.how, counts + " (no symbols)"], []
    truth, outside = true_sites(file, symbols)
    wrong = [] if found == truth else ["sites: %s, should be %s" % (found, truth)]
    return [found.how, "%s (%d)" % (counts, outside)], wrong


def mapped_file(name, process):
    """The file that holds the runtime, by its path outside of a root."""
    mapped = os.path.basename(process["python"]["file"])
    return next(file for file in files_of(name) if os.path.basename(file) == mapped)


def build_of(file):
    return "libpython" if os.path.basename(file).startswith("lib") else "static"


def row_with_gil(name):
    python = INTERPRETERS[name]
    pair, cycles, blocked = contended_pair(python), counted_cycles(python), held_while_blocked(python)
    process = pair.process("uprobe")
    file = mapped_file(name, process)
    sites, wrong = sites_cells(file)
    acquired = cycles.thread("uprobe", "cycler0")["gil"]["acquisitions"]
    waits = ["%.3f" % pair.process(engine)["states"]["gil_wait_s"] for engine in BOTH]
    return [
        *(name, process["python"]["version"], build_of(file), *sites),
        "debug offsets" if minor_version(name) >= 13 else "table",
        "%d / %d" % (acquired, true_cycles(cycles, "cycler0")),
        ", ".join(waits),
        ", ".join(sorted({*verdict_codes(process), *verdict_codes(blocked.process("uprobe"))})),
    ], wrong + pair.findings.wrong + cycles.findings.wrong + blocked.findings.wrong


def row_without_gil(name):
    summary, findings = without_gil(INTERPRETERS[name], "sched")
    process = only_process(summary)
    file = mapped_file(name, process)
    sites, wrong = sites_cells(file)
    return [
        *(name, process["python"]["version"], build_of(file), *sites),
        *("debug offsets", "GIL off", "absent"),
        ", ".join(verdict_codes(process)),
    ], findings.wrong + wrong


def print_table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def row_of(name):
    """A measurement that others disturbed is taken again, as in the tests."""
    for attempt in range(1, ATTEMPTS + 1):
        print("measuring %s ..." % name, file=sys.stderr)
        row, wrong = (row_without_gil if name in WITHOUT_GIL else row_with_gil)(name)
        if not wrong:
            break
        for what in wrong:
            print("  attempt %d: %s" % (attempt, what), file=sys.stderr)
    return [*row, "NO" if wrong else "yes"], wrong


def main(names):
    unknown = set(names) - set(NAMES)
    if unknown:
        sys.exit("no such CPython here: %s; there are: %s" % (", ".join(unknown), ", ".join(NAMES)))
    if os.geteuid():
        sys.exit("this takes root: sudo python3 tests/live/matrix.py")
    claim_cpus()
    rows = [row_of(name) for name in names or NAMES]
    print_table([HEADINGS, *(row for row, _ in rows)])
    return 1 if any(wrong for _, wrong in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
