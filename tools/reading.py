#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Makes docs/reading.md: runs situations of tests/live and puts gilwatch's real screens between the
texts of tools/reading.md, where a line "@ case" stands for the screen of that case.

    sudo python3 tools/reading.py [OUTPUT]

"@ case" shows a screen down to its states, "@@ case" all of it.
"""

import os
import pathlib
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tests" / "live"))

import harness  # noqa: E402
from bench import Bench, screen  # noqa: E402
from cases import CASES  # noqa: E402

CUT_AT = ("BUSIEST THREADS", "WHO WAITED")


def find(name):
    (case,) = [case for case in CASES if case.name == name]
    return case


def cut(text):
    """A screen down to its states."""
    lines = []
    for line in text.splitlines():
        if line.startswith(CUT_AT):
            break
        lines.append(line)
    return "\n".join(lines).rstrip()


def by_its_name(python):
    """The same interpreter, called by its name alone, wherever it lies on this machine."""
    (path,) = harness.command_of(python)
    return ["bash", "-c", 'exec -a "$0" %s "$@"' % path, os.path.basename(path)]


def shown(bench, name, whole):
    case = find(name)
    python = by_its_name(harness.INTERPRETERS[case.python or "system"])
    text = screen(bench, case, python, case.engines[0]).rstrip()
    return "```\n%s\n```" % (text if whole else cut(text))


def main():
    output = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else REPOSITORY / "docs" / "reading.md")
    harness.claim_cpus()
    os.chdir(REPOSITORY)
    harness.HERE = pathlib.Path("tests/live")  # the screens show commands as people type them
    lines = []
    with Bench() as bench:
        for line in (REPOSITORY / "tools" / "reading.md").read_text().splitlines():
            if line.startswith("@"):
                print(line, file=sys.stderr)
                line = shown(bench, line.lstrip("@ "), line.startswith("@@"))
            lines.append(line)
    output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
