# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Takes the cases of cases.py: runs a situation's program under gilwatch, and finds what is wrong."""

import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from harness import (
    HERE,
    INTERPRETERS,
    SYSTEM_PYTHON,
    Gilwatch,
    Workload,
    at,
    block_directory,
    command_of,
    only_process,
    root_of,
    window,
)
from laws import Findings, find_laws
from view import verdicts_not_shown

PERIOD_US = 100000
OTHER_VERSION = "it is of other versions of Python"


class Case:
    """A situation and what is expected.

    verdicts: codes that must be there, in this order; a code with a "!" must be critical.
    never: codes that must not be there ("gil*" is all that begin so). only: no others either.
    family, family_never: the same for the verdicts over all processes.
    figure: a function of what was seen that returns (gilwatch's figure, the program's own, how much
    they may be off). ci: it belongs to the tests, not to the table alone. since, until: of which
    versions it is expected.
    """

    def __init__(
        self,
        name,
        program,
        *args,
        verdicts=(),
        never=(),
        only=False,
        family=(),
        family_never=(),
        figure=None,
        seconds=2,
        engines=("uprobe", "sched"),
        python=None,
        needs=(),
        says=(),
        quota=None,
        rivals=0,
        line_after_s=None,
        kill=False,
        ci=True,
        since=None,
        until=None,
    ):
        self.name, self.program, self.args = name, program, args
        self.verdicts, self.never, self.only = verdicts, never, only
        self.family, self.family_never = family, family_never
        self.figure, self.seconds, self.engines = figure, seconds, engines
        self.python, self.needs, self.says = python, needs, says
        self.quota, self.rivals, self.line_after_s, self.kill = quota, rivals, line_after_s, kill
        self.ci = ci
        self.since, self.until = since, until

    def is_of(self, version):
        return (not self.since or version >= self.since) and (not self.until or version <= self.until)


class Seen:
    def __init__(self, case, summary, truth, work):
        self.case, self.summary, self.truth, self.tids = case, summary, truth, work.tids
        self.process = only_process(summary)
        self.codes = [verdict["code"] for verdict in self.process["verdicts"]]
        self.family = [verdict["code"] for verdict in summary["total"]["verdicts"]]
        verdicts = summary["total"]["verdicts"] + self.process["verdicts"]
        self.texts = ["%s: %s" % (verdict["code"], verdict["text"]) for verdict in verdicts]
        self.start_ns, self.end_ns = window(summary)
        self.elapsed_s = summary["elapsed_s"]
        self.wrong, self.figure, self.off = [], None, None

    def evidence(self, code):
        for verdict in self.summary["total"]["verdicts"] + self.process["verdicts"]:
            if verdict["code"] == code:
                return verdict["evidence"]
        return {}

    def thread(self, name):
        (found,) = [t for t in self.process["threads"] if t["tid"] == self.tids[name]]
        return found

    def threads(self, prefix):
        tids = [tid for name, tid in self.tids.items() if name.startswith(prefix)]
        return [thread for thread in self.process["threads"] if thread["tid"] in tids]

    def workers(self):
        """The processes that the program told of."""
        return [p for p in self.summary["processes"] if str(p["pid"]) in self.truth["workers"]]

    def in_window(self, log):
        """What a log of (time, value) grew by."""
        return at(log, self.end_ns) - at(log, self.start_ns)

    def own_cpu_s(self):
        return sum(self.in_window(log) for log in self.truth["cpu"].values()) / 1e9

    def inside(self, intervals):
        """The parts of intervals that lie in the window."""
        cut = [(max(begin, self.start_ns), min(end, self.end_ns)) for begin, end in intervals]
        return [(begin, end) for begin, end in cut if end > begin]

    def inside_s(self, intervals):
        return sum(end - begin for begin, end in self.inside(intervals)) / 1e9

    def whole(self, intervals):
        """The intervals that lie in the window as a whole."""
        return [pair for pair in intervals if pair[0] >= self.start_ns and pair[1] <= self.end_ns]

    def check(self):
        findings = Findings()
        find_laws(findings, self.summary)
        self.wrong += findings.wrong
        self.check_codes("verdicts", self.case.verdicts, self.case.never, self.codes)
        self.check_codes("family", self.case.family, self.case.family_never, self.family)
        if self.case.only:
            expected = [code.rstrip("!") for code in self.case.verdicts]
            for code in self.codes:
                if code not in expected:
                    self.wrong.append("verdicts: %s should not be in %s" % (code, self.codes))
        for words in self.case.says:
            if not any(words in text for text in self.texts):
                self.wrong.append("nothing says %r: %s" % (words, self.texts))
        if self.case.figure:
            self.check_figure()

    def check_codes(self, what, expected, never, found):
        critical = [v["code"] for v in self.process["verdicts"] if v["severity"] == "critical"]
        last = -1
        for code in expected:
            name = code.rstrip("!")
            if name not in found:
                self.wrong.append("%s: %s is not in %s" % (what, name, found))
                continue
            if found.index(name) < last:
                self.wrong.append("%s: %s should come later in %s" % (what, name, found))
            last = found.index(name)
            if name != code and name not in critical:
                self.wrong.append("%s: %s should be critical" % (what, name))
        for code in never:
            for name in found:
                if name == code or (code.endswith("*") and name.startswith(code[:-1])):
                    self.wrong.append("%s: %s should not be in %s" % (what, name, found))

    def check_figure(self):
        try:
            figure = self.case.figure(self)
        except AssertionError as error:  # a log that does not reach far enough
            self.wrong.append("figure: %s" % error)
            return
        self.figure = figure
        gilwatch, own, tolerance = figure
        if gilwatch is None:
            self.wrong.append("figure: gilwatch has none; the program's own is %s" % own)
            return
        self.off = (gilwatch - own) / own if own else 0.0
        if abs(gilwatch - own) > tolerance * abs(own) + 0.001:
            self.wrong.append(
                "figure: %.6g, the program's own is %.6g (%.1f %% off)" % (gilwatch, own, 100 * self.off)
            )


class Bench:
    """What the programs need around them, made when it is needed for the first time."""

    def __init__(self):
        self.stack = contextlib.ExitStack()
        self.made = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def why_not(self, case, python):
        """Why a case cannot be taken here; None: it can."""
        if python not in INTERPRETERS:
            return "no Python %s" % python
        command = INTERPRETERS[python]
        if not case.is_of(self.version(command)):
            return OTHER_VERSION
        if "library" in case.needs and not self.loads(command):
            return "its libc is older than what the library is linked with"
        if "numpy" in case.needs:
            asked = subprocess.run([*command_of(command), "-c", "import numpy"], capture_output=True)
            if asked.returncode:
                return "no numpy"
        if case.quota and not self.quota_directory():
            return "no cgroup with a CPU quota can be made"
        return None

    def get(self, what, make, *arguments):
        key = (what, *arguments)
        if key not in self.made:
            self.made[key] = make(*arguments)
        return self.made[key]

    def directory(self, root):
        """On a disk; by its name in that root, as the next."""
        return self.get("directory", self.make_directory, root)

    def make_directory(self, root):
        if root != "/":
            return self.make_temporary(root)
        directory = block_directory() or tempfile.mkdtemp(prefix="gilwatch-live-")
        self.stack.callback(shutil.rmtree, directory, True)
        return directory

    def make_temporary(self, root):
        directory = tempfile.mkdtemp(prefix="gilwatch-live-", dir=os.path.join(root, "tmp"))
        self.stack.callback(shutil.rmtree, directory, True)
        return os.path.join("/", os.path.relpath(directory, root))

    def library(self, root):
        return self.get("library", self.make_library, root)

    def make_library(self, root):
        library = os.path.join(self.make_temporary(root), "spinning.so")
        source = str(HERE / "situations" / "spinning.c")
        output = os.path.join(root, library.lstrip("/"))
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-pthread", "-o", output, source], check=True)
        return library

    def version(self, python):
        """Of an interpreter: (3, 11)."""
        return self.get("version", self.ask_version, *command_of(python))

    def ask_version(self, *command):
        script = "import sys; print(*sys.version_info[:2])"
        asked = subprocess.run([*command, "-c", script], capture_output=True, text=True, check=True)
        return tuple(map(int, asked.stdout.split()))

    def loads(self, python):
        """Whether an interpreter can load the library."""
        command = [*command_of(python), "-c", "import ctypes, sys; ctypes.CDLL(sys.argv[1])"]
        loaded = subprocess.run([*command, self.library(root_of(python))], capture_output=True)
        return loaded.returncode == 0

    def port(self, root):
        return self.get("port", self.make_port)

    def make_port(self):
        server = subprocess.Popen(
            [SYSTEM_PYTHON, str(HERE / "situations" / "slow_server.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.stack.callback(server.wait)
        self.stack.callback(server.kill)
        return int(server.stdout.readline())

    def unready(self, root):
        return self.get("unready", self.make_unready)

    def make_unready(self):
        from test_gils import build_unready

        directory = tempfile.mkdtemp(prefix="gilwatch-live-")
        self.stack.callback(shutil.rmtree, directory, True)
        build_unready(INTERPRETERS["3.13t"], pathlib.Path(directory))
        return directory

    def quota_directory(self):
        """A new cgroup that can have a quota, of either version; None: there is none to be had."""
        return self.get("quota", self.make_quota_directory)

    def make_quota_directory(self):
        for parent, file in (("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us"), ("/sys/fs/cgroup", "cpu.max")):
            directory = pathlib.Path(parent, "gilwatch-live-%d" % os.getpid())
            try:
                directory.mkdir()
            except OSError:
                continue
            self.stack.callback(remove_cgroup, directory)
            if (directory / file).exists():
                return directory
        return None

    def set_quota(self, cpus, pid):
        """A quota, and the weight to get that much from whoever else wants the CPUs."""
        directory = self.quota_directory()
        quota = str(int(cpus * PERIOD_US))
        if (directory / "cpu.max").exists():
            (directory / "cpu.max").write_text("%s %d" % (quota, PERIOD_US))
            (directory / "cpu.weight").write_text("10000")
        else:
            (directory / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (directory / "cpu.cfs_quota_us").write_text(quota)
            (directory / "cpu.shares").write_text("262144")
        for tid in os.listdir("/proc/%d/task" % pid):  # under chrt, none may move there
            os.sched_setscheduler(int(tid), os.SCHED_OTHER, os.sched_param(0))
        (directory / "cgroup.procs").write_text(str(pid))

    def arguments(self, case, python):
        made = []
        for need in case.needs:
            if need != "numpy":
                option = "path" if need == "unready" else need
                made += ["--" + option, getattr(self, need)(root_of(python))]
        return [*case.args, *made]


def remove_cgroup(directory):
    for _ in range(100):  # its processes may still be on their way out
        with contextlib.suppress(OSError):
            directory.rmdir()
            return
        time.sleep(0.05)


def options_for(engine):
    """None is the default engine."""
    return ["--engine=" + engine] if engine else []


@contextlib.contextmanager
def program(bench, case, python):
    """A situation's program with all that belongs to it."""
    with contextlib.ExitStack() as stack:
        for _ in range(case.rivals):
            stack.enter_context(Workload("situations/threads", "--threads", 1))
        work = stack.enter_context(Workload(case.program, *bench.arguments(case, python), python=python))
        if case.quota:
            bench.set_quota(case.quota, work.pid)
        yield work


def look(bench, case, python, engine, windows=1, view=False):
    """Run the program and one gilwatch (or several, one after the other), and the live view if wanted;
    what is wrong is in .wrong.
    """
    with program(bench, case, python) as work:
        options = ["--json", *options_for(engine)]
        summaries = [watch(work, case, options).summary() for _ in range(windows)]
        missing = not_in_view(work, case, engine, summaries[-1]) if view else []
        truth = work.abandon() if case.kill else work.finish()
    seen = [Seen(case, summary, truth, work) for summary in summaries]
    for one in seen:
        one.check()
    seen[-1].wrong += missing
    return seen[0] if windows == 1 else seen


def not_in_view(work, case, engine, summary):
    """Which of the expected verdicts the live view does not show. What came of a line on stdin is over;
    and of several processes its first screen has what is to be said of all, not of one that is idle."""
    expected = [code.rstrip("!") for code in case.family or case.verdicts]
    found = summary["total"]["verdicts"] + only_process(summary)["verdicts"]
    texts = [verdict["text"] for verdict in found if verdict["code"] in expected]
    if case.line_after_s is not None:
        return []
    return verdicts_not_shown(work.pid, texts, *options_for(engine))


def screen(bench, case, python, engine):
    """What gilwatch prints of it for people."""
    with program(bench, case, python) as work:
        answer = watch(work, case, options_for(engine))
    assert answer.status == 0, answer
    return answer.stdout


def watch(work, case, options):
    command = ["summary", "-p", work.pid, "-d", case.seconds, *options]
    with Gilwatch(*command, terminal=case.line_after_s is not None) as gilwatch:
        if case.line_after_s is not None:
            gilwatch.wait_until_watching()
            time.sleep(case.line_after_s)
            work.process.stdin.write(b"\n")
            work.process.stdin.flush()
        return gilwatch.finish(case.seconds + 30)
