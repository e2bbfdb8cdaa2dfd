# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The live view on a terminal of its own: its beginning, its end, and what verdicts it shows."""

import contextlib
import os
import re
import shlex
import tempfile

from harness import GILWATCH
from tmux import Terminal

# The shell says by itself how it ended and how the terminal is then: nothing is typed meanwhile.
LINE = (
    "cd %s; echo $$ > shell; before=$(stty -g); %s; code=$?;"
    ' if [ "$before" = "$(stty -g)" ]; then echo DONE=$code SANE; else echo DONE=$code CHANGED; fi;'
    " exec sleep 600"
)


@contextlib.contextmanager
def view(pid, *arguments, columns=80, rows=24, first="h help", inside="exec sh -c %s", **environment):
    """The view of a process, when its first screen is there.

    inside: a command line that runs another, as a terminal in the terminal does.
    """
    with tempfile.TemporaryDirectory(prefix="gilwatch-view-") as directory:
        words = [GILWATCH, "-p", str(pid), *arguments]
        line = LINE % (shlex.quote(directory), " ".join(map(shlex.quote, words)))
        line = inside % shlex.quote(line)
        with Terminal(line, columns, rows, **environment) as terminal:
            terminal.directory = directory
            terminal.wait_for(first)
            yield terminal


def gilwatch_pid(terminal):
    """The child of the terminal's shell."""
    with open(os.path.join(terminal.directory, "shell")) as file:
        shell = int(file.read())
    with open("/proc/%d/task/%d/children" % (shell, shell)) as children:
        (pid,) = children.read().split()
    return int(pid)


def assert_given_back(terminal, said):
    """The program has ended and the terminal is as it was."""
    screen = terminal.wait_for("DONE=")
    assert said in screen, screen
    assert terminal.ask("alternate_on") == "0"
    assert terminal.ask("cursor_flag") == "1"


def quit_view(terminal):
    terminal.keys("q")
    assert_given_back(terminal, "DONE=0 SANE")


def opening(text):
    """The first words of a verdict, whatever its figures."""
    return " ".join(without_figures(text).split()[:5])


def without_figures(text):
    return re.sub(r"[0-9][0-9.,]*", "#", text)


def verdicts_not_shown(pid, texts, *arguments):
    """Which of the verdicts do not come to the view's screen."""
    missing = []
    with view(pid, *arguments, columns=160, rows=50) as terminal:
        for text in texts:
            try:
                terminal.wait_for(
                    lambda screen, words=opening(text): words
                    in " ".join(without_figures(screen).split())
                )
            except AssertionError:
                seen = opening(text), terminal.screen()
                missing.append("view: %r does not come; the screen is:\n%s" % seen)
        quit_view(terminal)
    return missing
