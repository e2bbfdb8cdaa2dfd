# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The live view, in tmux: every key, sizes, ends, signals, colours, locales, hostile names."""

import json
import os
import re
import resource
import shlex
import signal
import stat
import subprocess

import pytest
from harness import GILWATCH, Workload
from laws import check_laws
from tmux import Terminal
from view import assert_given_back, gilwatch_pid, quit_view, view


def selected(screen):
    """The number of the selected row's thread or process."""
    (line,) = [line for line in screen.split("\n") if line.startswith(">")]
    return int(line[1:].split()[0])


def table(screen):
    """The numbers in the table, from above."""
    return [int(n) for n in re.findall(r"^[> +-] +(\d+) ", screen, re.MULTILINE)]


@pytest.fixture(scope="module")
def crowd():
    with Workload("crowd", "--threads=30", "--pause=20") as work:
        yield work


def test_every_key(crowd):
    with view(crowd.pid, "500ms") as terminal:
        press = terminal.press
        screen = terminal.wait_for(lambda screen: selected(screen) and len(table(screen)) > 10)
        first = selected(screen)
        assert first in crowd.tids.values()

        # Up, down, pages, both ends: the selection is elsewhere each time.
        press("Down", lambda screen: selected(screen) != first)
        press("Home", lambda screen: table(screen)[0] == selected(screen))
        press("End", lambda screen: table(screen)[-1] == selected(screen))
        press("PPage", lambda screen: table(screen)[-1] != selected(screen))
        press("NPage", lambda screen: table(screen)[-1] == selected(screen))
        press("Up", lambda screen: table(screen)[-1] != selected(screen))

        # The screen of one thread, of the next one, and back.
        screen = press("Enter", "Where its time went")
        thread = re.search(r"Thread (\d+)", screen).group(1)
        press("Down", lambda screen: "Thread %s " % thread not in screen)
        press("Escape", "h help")

        press("s", "sort: gil wait")
        press("S", "sort: busy")
        press("R", "sort: busy rev")
        press("R", lambda screen: "rev" not in screen)
        press("m", "since reset")
        press("m", "since start")
        press("m", "last interval")
        press("p", "PAUSED")
        press("Space", lambda screen: "PAUSED" not in screen)
        press("r", "since reset")
        press("+", "every 1 s")
        press("-", "every 500 ms")

        # A filter works while it is typed.
        press("/", "filter: _")
        terminal.keys("-l", "crowd-7")
        press("Enter", lambda screen: len(table(screen)) == 1 and "/ filter: crowd-7" in screen)
        press("/", "filter: crowd-7_")
        press("x", "nothing fits")
        press("BSpace", lambda screen: len(table(screen)) == 1)
        press("Escape", "/ filter: crowd-7")
        press("Escape", lambda screen: len(table(screen)) > 10)

        press("t", lambda screen: table(screen) == [crowd.pid])
        press("t", lambda screen: len(table(screen)) > 10)
        press("h", "any key: back")
        press("h", "h help")
        press("?", "any key: back")
        press("?", "h help")

        press("w", "written: gilwatch-%d-" % crowd.pid)
        quit_view(terminal)
        names = sorted(set(os.listdir(terminal.directory)) - {"shell"})
        assert [name.rsplit(".")[-1] for name in names] == ["json", "txt"]
        for name in names:
            mode = os.stat(os.path.join(terminal.directory, name)).st_mode
            assert stat.S_IMODE(mode) == 0o600, name
        with open(os.path.join(terminal.directory, names[0])) as file:
            check_laws(json.load(file))
        with open(os.path.join(terminal.directory, names[1])) as file:
            assert "process %d" % crowd.pid in file.read()


def test_sizes_while_it_runs(crowd):
    with view(crowd.pid, "500ms") as terminal:
        for columns, rows in ((200, 50), (40, 10), (132, 43), (20, 5), (80, 24)):
            terminal.resize(columns, rows)

            def fits(screen):
                lines = screen.rstrip("\n").split("\n")
                whole = len(lines) == rows and lines[-1].startswith("h help")
                return whole and (rows < 10 or "number name" in screen)

            terminal.wait_for(fits)
        terminal.wait_for(lambda screen: fits(screen) and "resume p99" in screen)
        quit_view(terminal)


def test_the_screen_of_a_thread(crowd):
    """It is longer than the least screen: it scrolls."""
    with view(crowd.pid, "500ms", columns=40, rows=10) as terminal:
        press = terminal.press
        terminal.wait_for(lambda screen: len(table(screen)) > 2)
        first = selected(press("p", lambda screen: "PAUSED" in screen and selected(screen)))
        press("Enter", "Thread %d " % first)
        press("NPage", lambda screen: "Thread" not in screen.split("\n")[1])
        press("PPage", "Thread %d " % first)
        press("Down", lambda screen: re.search(r"Thread (?!%d )\d+ " % first, screen))
        press("Up", "Thread %d " % first)
        press("Escape", lambda screen: selected(screen) == first)
        # So does the help.
        press("h", "q: quit")
        press("NPage", lambda screen: "q: quit" not in screen)
        press("PPage", "q: quit")
        press("h", lambda screen: selected(screen) == first)
        quit_view(terminal)


def test_wide_screens_have_more_columns(crowd):
    with view(crowd.pid, columns=200, rows=50) as terminal:
        titles = "cpu moves wait p99 hold p99 resume p99 acquired forced now".split()
        # All of them in one line, the table's head.
        terminal.wait_for(
            lambda screen: any(
                all(title in line for title in titles) for line in screen.split("\n")
            )
        )


def test_the_end_of_the_target_is_said_and_its_figures_stay():
    with Workload("sleep") as work:
        with view(work.pid, "200ms") as terminal:
            terminal.wait_for(lambda screen: work.pid in table(screen))
            work.finish()
            terminal.wait_for(lambda screen: "ENDED" in screen and "number name" in screen)
            terminal.press("m", "since reset")
            terminal.press("m", "since start")
            quit_view(terminal)


def test_many_threads_and_a_hostile_name():
    with Workload("crowd", "--threads=1000", "--pause=100") as work:
        with view(work.pid, columns=100, rows=30) as terminal:
            terminal.wait_for("1001 threads")
            terminal.press("End", lambda screen: selected(screen) == table(screen)[-1])
            # A control character on the terminal would show as one here, or not at all.
            terminal.press("/", "filter: ")
            terminal.keys("-l", "RED")
            hostile = r"\x1b[31mRED"
            terminal.wait_for(lambda screen: hostile in screen and len(table(screen)) == 1)
            terminal.press("Enter", "/ filter: RED")
            quit_view(terminal)


def test_a_deadlock_is_seen_as_one():
    """Both threads are blocked in a lock, and for longer and longer."""
    with Workload("deadlock") as work:
        tids = [work.tids["one"], work.tids["other"]]
        with view(work.pid, "500ms") as terminal:

            def stuck(screen):
                ages = [re.search(r"^[> ] +%d .* lock (\d+)s$" % tid, screen, re.M) for tid in tids]
                return all(age and int(age.group(1)) >= 2 for age in ages)

            terminal.wait_for(stuck)


def tell(work, word):
    work.process.stdin.write(word.encode() + b"\n")
    work.process.stdin.flush()


def test_children_and_new_threads_appear_by_themselves():
    with Workload("newcomers") as work:
        with view(work.pid, "2s") as terminal:
            terminal.wait_for(lambda screen: work.pid in table(screen))
            # By number, the first one is the main thread, and is the chosen one.
            terminal.press("S", "sort: number")
            # What comes and goes is marked for three intervals.
            tell(work, "thread")
            terminal.wait_for(lambda screen: re.search(r"^\+ +\d+ late ", screen, re.M))
            tell(work, "end")
            terminal.wait_for(lambda screen: re.search(r"^- +\d+ late .* ended", screen, re.M))
            # With a child there are two processes, a row each.
            tell(work, "child")
            terminal.wait_for(
                lambda screen: len(table(screen)) == 2 and "2 processes" in screen
            )
            quit_view(terminal)


def test_a_command_that_wants_to_write_to_the_terminal(tmp_path):
    script = tmp_path / "\x1b]0;EVIL\x07\x1b[2J.py"
    script.write_text("import time\nprint('ready', flush=True)\ntime.sleep(600)\n")
    command = ["/usr/bin/python3", str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as target:
        try:
            assert target.stdout.readline() == "ready\n"
            with view(target.pid, columns=200, rows=30) as terminal:
                terminal.wait_for(lambda screen: r"\x1b]0;EVIL\x07\x1b[2J.py" in screen)
                assert "EVIL" not in terminal.ask("pane_title")
                quit_view(terminal)
        finally:
            target.kill()


# Wide, combining, of two cells for the C library alone, and of another direction.
ODD_NAMES = """
import threading, time
def beat(i):
    while True:
        time.sleep(0.01 * (i + 1))
for i, name in enumerate(["日本語スレッド", "e\\u0301a\\u0301", "\\U0001f004tile", "\\U0001f600", "กำ", "שלום", "ＷＩＤＥ"]):
    threading.Thread(target=beat, args=(i,), name=name, daemon=True).start()
print("ready", flush=True)
time.sleep(600)
"""


def settled(terminal):
    """A screen that does not change any more."""
    screens = [terminal.screen()]

    def same_again(screen):
        screens.append(screen)
        return screens[-2] == screen

    return terminal.wait_for(same_again)


def test_what_is_drawn_over_leaves_nothing_behind():
    """Only cells that change are drawn: after many changes the screen is that of a fresh start."""
    command = ["/usr/bin/python3", "-c", ODD_NAMES]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as target:
        try:
            assert target.stdout.readline() == "ready\n"
            with view(target.pid, "100ms") as terminal:
                terminal.wait_for(lambda screen: len(table(screen)) == 8 and "tile" in screen)
                for key, wanted in (
                    ("S", "sort: number"),
                    ("End", lambda screen: selected(screen) == table(screen)[-1]),
                    ("Enter", "Where its time went"),
                    ("Escape", lambda screen: len(table(screen)) == 8),
                    ("h", "any key: back"),
                    ("h", lambda screen: len(table(screen)) == 8),
                    ("R", "number rev"),
                    ("p", "PAUSED"),
                ):
                    terminal.press(key, wanted)
                before = settled(terminal)
                terminal.resize(70, 20)
                terminal.wait_for(lambda screen: len(screen.rstrip("\n").split("\n")) == 20)
                terminal.resize(80, 24)
                terminal.wait_for(before)
                quit_view(terminal)
        finally:
            target.kill()


def test_processes_open_into_their_threads(crowd):
    with Workload("deadlock") as work:
        pids = "%d,%d" % (crowd.pid, work.pid)
        with view(pids, "500ms", columns=100) as terminal:
            terminal.wait_for(lambda screen: set(table(screen)) == {crowd.pid, work.pid})
            terminal.press("/", "filter: _")
            terminal.keys("-l", "deadlock.py")
            terminal.press("Enter", lambda screen: table(screen) == [work.pid])
            opened = {work.pid, *work.tids.values()}
            terminal.press("Enter", lambda screen: set(table(screen)) == opened)
            terminal.press("Enter", lambda screen: table(screen) == [work.pid])
            quit_view(terminal)


COLOURS = re.compile(r"\x1b\[[0-9;]*\b(3[0-7]|9[0-7]|38|4[0-7]|48)[0-9;]*m")


@pytest.mark.parametrize(
    "environment, coloured",
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, True),
        ({"CLICOLOR": "0"}, False),
        ({"CLICOLOR": "0", "CLICOLOR_FORCE": "1"}, True),
        ({"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, False),
        ({"TERM": "vt100"}, False),
        ({"TERM": "linux"}, True),
        ({"TERM": "screen"}, True),
    ],
    ids=str,
)
def test_colours(crowd, environment, coloured):
    settings = dict.fromkeys(("NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"))
    settings.update({"TERM": "xterm-256color", **environment})
    with view(crowd.pid, **settings) as terminal:
        terminal.wait_for(lambda screen: len(table(screen)) > 10)
        assert bool(COLOURS.search(terminal.screen("-e"))) == coloured
        # The fonts of consoles have no blocks of an eighth.
        eighths = set("\u2581\u2582\u2583\u2584\u2585\u2586\u2587")
        assert settings["TERM"] != "linux" or not eighths & set(terminal.screen())
        quit_view(terminal)


def test_ascii_where_the_locale_has_no_utf8(crowd):
    with view(crowd.pid, LC_ALL="C") as terminal:
        screen = terminal.wait_for(lambda screen: len(table(screen)) > 10)
        assert screen.isascii(), screen
        terminal.press("Enter", "Where its time went")
        assert terminal.screen().isascii(), terminal.screen()


@pytest.mark.parametrize(
    "number, said",
    [
        (signal.SIGTERM, "DONE=0 SANE"),
        (signal.SIGINT, "DONE=0 SANE"),
        (signal.SIGHUP, "DONE=0 SANE"),
        (signal.SIGSEGV, "DONE=139 SANE"),
        (signal.SIGABRT, "DONE=134 SANE"),
        (signal.SIGQUIT, "DONE=131 SANE"),
        (signal.SIGUSR1, "DONE=138 SANE"),
    ],
    ids=lambda value: value.name if isinstance(value, signal.Signals) else "",
)
def test_signals_leave_a_sane_terminal(crowd, number, said):
    with view(crowd.pid) as terminal:
        assert terminal.ask("alternate_on") == "1"
        os.kill(gilwatch_pid(terminal), number)
        assert_given_back(terminal, said)


def test_an_error_is_said_after_the_screen_is_left(crowd):
    """Without descriptors what was measured cannot be read. What is said stays on the terminal: it
    came after the screen that is thrown away."""
    with view(crowd.pid, "200ms", columns=120) as terminal:
        assert terminal.ask("alternate_on") == "1"
        resource.prlimit(gilwatch_pid(terminal), resource.RLIMIT_NOFILE, (4, 4))
        assert_given_back(terminal, "DONE=5 SANE")
        assert terminal.lines()[:2] == [
            "gilwatch: what was measured cannot be read from the kernel (Too many open files)",
            "DONE=5 SANE",
        ]


@pytest.fixture(params=["altscreen off", "altscreen on"])
def gnu_screen(request, tmp_path):
    """A command line for a shell's line in GNU screen: by itself it has no screen to throw away."""
    settings = tmp_path / "screenrc"
    settings.write_text("startup_message off\nautodetach off\n%s\n" % request.param)
    sockets = tmp_path / "sockets"
    sockets.mkdir(mode=0o700)
    command = "SCREENDIR=%s exec screen -U -c %s sh -c" % (sockets, settings)
    yield command + " %s", request.param.endswith("on")
    # It has ended with its terminal, or is ended here.
    quit_it = ["screen", "-X", "quit"]
    subprocess.run(quit_it, env={**os.environ, "SCREENDIR": str(sockets)}, capture_output=True)


def test_in_gnu_screen(crowd, gnu_screen):
    inside, thrown_away = gnu_screen
    with view(crowd.pid, "500ms", inside=inside) as terminal:
        terminal.wait_for(lambda screen: len(table(screen)) > 10)
        terminal.press("End", lambda screen: selected(screen) == table(screen)[-1])
        assert COLOURS.search(terminal.screen("-e"))
        terminal.press("Enter", "Where its time went")
        terminal.press("Escape", "h help")
        terminal.resize(100, 30)
        terminal.wait_for(lambda screen: len(table(screen)) > 16 and "moves" in screen)
        terminal.keys("q")
        screen = terminal.wait_for("DONE=")
        # The line is whole, whatever stays above it.
        assert "DONE=0 SANE" in screen.split("\n"), screen
        assert ("number name" in screen) != thrown_away, screen
        assert terminal.ask("cursor_flag") == "1"


def test_stopped_and_continued(crowd):
    """Ctrl-Z gives the terminal back, fg takes it again."""
    environment = {"PS1": r"prompt-\#> ", "HISTFILE": None}
    with Terminal("exec bash --norc --noprofile -i", **environment) as terminal:
        terminal.wait_for("prompt-1>")
        terminal.keys("-l", "%s -p %d; echo DONE=$?" % (shlex.quote(GILWATCH), crowd.pid))
        terminal.press("Enter", "h help")
        terminal.keys("C-z")
        terminal.wait_for(lambda screen: re.search(r"prompt-\d+> *$", screen.rstrip()))
        assert terminal.ask("alternate_on") == "0"
        terminal.keys("-l", "fg; echo BACK=$?")
        terminal.press("Enter", "h help")
        assert terminal.ask("alternate_on") == "1"
        terminal.press("s", "sort: gil wait")
        terminal.press("q", "BACK=0")
        assert terminal.ask("alternate_on") == "0"


def test_picked_from_the_list(crowd):
    line = "%s; echo DONE=$?; exec sleep 600" % shlex.quote(GILWATCH)
    with Terminal(line, columns=100) as terminal:
        terminal.wait_for("q to quit")
        terminal.keys("-l", str(crowd.pid))
        terminal.press("Enter", lambda screen: "h help" in screen and len(table(screen)) > 10)
        terminal.press("q", "DONE=0")


def test_a_terminal_that_cannot_show_a_screen(crowd):
    line = "TERM=%s %s -p %d %s 2>&1; echo DONE=$?; exec sleep 600"
    with Terminal(line % ("dumb", GILWATCH, crowd.pid, "-n 1 1s"), columns=200) as terminal:
        terminal.wait_for("gil_wait")
        assert terminal.ask("alternate_on") == "0"
    with Terminal(line % ("no-such-terminal", GILWATCH, crowd.pid, "")) as terminal:
        screen = terminal.wait_for("DONE=2")
        assert "TERM=no-such-terminal" in screen, screen
