# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs workloads and gilwatch, and reads the kernel's own books beside them.

Nothing here waits by the clock where there is an event to wait for: a workload prints "ready", and
gilwatch says on a terminal that it is watching.
"""

import contextlib
import json
import os
import pathlib
import pty
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
GILWATCH = os.environ.get("GILWATCH") or str(REPOSITORY / "build" / "gilwatch")
SYSTEM_PYTHON = "/usr/bin/python3"


# --- interpreters -----------------------------------------------------------------------------


def pyenv_root():
    root = os.environ.get("PYENV_ROOT")
    if not root and shutil.which("pyenv"):
        asked = subprocess.run(["pyenv", "root"], capture_output=True, text=True)
        root = asked.stdout.strip()
    return pathlib.Path(root or pathlib.Path.home() / ".pyenv")


def find_interpreters():
    """All interpreters by name: "system", "2.7", "3.11" … of pyenv, and those that
    tools/interpreters.sh keeps: "3.15-sid", "3.13t" … A path, or a list: the words of a command."""
    found = {}
    if os.path.exists(SYSTEM_PYTHON):
        found["system"] = SYSTEM_PYTHON
    for folder in sorted(pyenv_root().glob("versions/*")):
        version = re.match(r"(\d+\.\d+)\.\d+$", folder.name)
        python = folder / "bin" / ("python" + version.group(1)) if version else None
        if python and python.exists():
            found[version.group(1)] = str(python)
    for name, command in kept_interpreters():
        if command[0] != "chroot":
            found[name] = command
            if is_free_threaded(name):
                found[name + "-gil"] = ["env", "PYTHON_GIL=1", *command]
        elif os.geteuid() == 0:  # others may not call chroot
            found[name] = command
    return found


def is_free_threaded(name):
    """Of an interpreter by its name; "3.13t-gil" is one whose GIL is on."""
    return re.fullmatch(r"3\.\d+t", name) is not None


def kept_interpreters():
    script = REPOSITORY / "tools" / "interpreters.sh"
    listed = subprocess.run([script, "--list"], capture_output=True, text=True, check=True)
    for line in listed.stdout.splitlines():
        name, command = line.split("\t")
        yield name, shlex.split(command)


def kept_directory():
    """Where tools/interpreters.sh keeps them."""
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    kept = os.environ.get("GILWATCH_INTERPRETERS")
    return pathlib.Path(kept or pathlib.Path(cache, "gilwatch", "interpreters"))


def debug_file(build_id):
    """The file with the symbols of a stripped one, or None."""
    for place in (kept_directory() / "debug", pathlib.Path("/usr/lib/debug")):
        file = place / ".build-id" / build_id[:2] / (build_id[2:] + ".debug")
        if file.exists():
            return str(file)
    return None


def command_of(python):
    """The words that run an interpreter, one of INTERPRETERS or a path."""
    return [python] if isinstance(python, str) else list(python)


def root_of(python):
    """The root directory in which an interpreter runs."""
    command = command_of(python)
    return command[1] if command[0] == "chroot" else "/"


def lay_workloads(root):
    """Makes the workloads visible in a root, by the path that they have outside."""
    if root == "/":
        return
    for folder in ("workloads", "situations"):
        here = str(HERE / folder)
        shutil.copytree(
            *(here, root + here),
            ignore=shutil.ignore_patterns("__pycache__"),
            dirs_exist_ok=True,
        )


INTERPRETERS = find_interpreters()


def claim_cpus():
    """Workloads and gilwatch come before whatever else runs on this machine.

    What they assert is about threads that contend with one another; a build beside them would make
    them contend with that for CPUs.
    """
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -20)
    except PermissionError:
        pass  # then the machine should better be idle


class Others:
    """How busy the machine's CPUs were with what does not belong to this test run."""

    def __init__(self):
        self.began = self.read()

    @staticmethod
    def read():
        with open("/proc/stat") as stat:
            fields = [int(word) for word in stat.readline().split()[1:9]]
        user, nice, system, idle, iowait, irq, softirq, steal = fields
        busy_s = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
        own = os.times()
        own_s = own.user + own.system + own.children_user + own.children_system
        return time.monotonic(), busy_s - own_s

    def share(self):
        """Of one CPU."""
        (began, before), (now, after) = self.began, self.read()
        return max(0, after - before) / (now - began)


# --- workloads --------------------------------------------------------------------------------


class Workload:
    """A program of workloads/, or of another folder as "folder/program", in steady state; "with" ends
    it whatever happens."""

    def __init__(self, name, *args, python=SYSTEM_PYTHON, prefix=()):
        self.name = name
        folder, _, program = name.rpartition("/")
        script = str(HERE / (folder or "workloads") / (program + ".py"))
        lay_workloads(root_of(python))
        command = [*prefix, *command_of(python), script, *[str(arg) for arg in args]]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
        )
        # A thread that releases the GIL more often than every interval wakes a waiter each time, whose
        # time-out begins anew: it does not ask for the GIL. 9 s were seen, with nothing watching.
        with self.deadline(120):
            line = self.process.stdout.readline()
        if not line:
            self.kill()
            raise AssertionError("workload %s did not get ready" % name)
        self.ready = json.loads(line)
        self.pid = self.ready["pid"]
        self.tids = self.ready["tids"]

    @contextlib.contextmanager
    def deadline(self, seconds):
        timer = threading.Timer(seconds, self.kill)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def finish(self):
        """End it in peace and return its truth by name."""
        self.process.stdin.close()
        with self.deadline(120):
            return self.truth()

    def abandon(self):
        """Kill one that will not end, and return what it has told of its truth."""
        self.kill()
        return self.truth()

    def truth(self):
        lines = self.process.stdout.read().splitlines()
        self.process.wait()
        return {line["name"]: line["value"] for line in map(json.loads, lines)}

    def signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        # Its group: the processes that feed it go with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.process.wait()
        self.process.stdout.close()
        with contextlib.suppress(OSError):
            self.process.stdin.close()


def other_process(*command):
    """A process that is no workload, killed at the end of "with"."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    return contextlib.closing(ClosedProcess(process))


class ClosedProcess:
    def __init__(self, process):
        self.process = process
        self.pid = process.pid

    def close(self):
        self.process.kill()
        self.process.wait()


def block_directory():
    """A directory on a disk (not in memory, not an overlay), or None. The caller removes it."""
    for place in (os.environ.get("GILWATCH_TEST_DIR"), REPOSITORY / "build", "/var/tmp", os.getcwd()):
        if place and os.path.isdir(place) and os.major(os.stat(place).st_dev):
            return tempfile.mkdtemp(prefix="gilwatch-live-", dir=place)
    return None


# --- gilwatch ---------------------------------------------------------------------------------

USAGE, NO_TARGET, RIGHTS, KERNEL, NOTHING_SEEN, SOME_FAILED = 2, 3, 4, 5, 6, 7  # exit statuses


class Gilwatch:
    """A run of gilwatch, below another command if there is one. With terminal=True its stderr is
    one, and wait_until_watching() works."""

    def __init__(self, *args, terminal=False, stdout=None, below=(), **options):
        self.command = [*below, GILWATCH, *[str(arg) for arg in args]]
        self.out = tempfile.TemporaryFile()
        self.err = tempfile.TemporaryFile()
        self.said = b""
        self.watching = threading.Event()
        stderr = self.err
        if terminal:
            master, stderr = pty.openpty()
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=self.out if stdout is None else stdout,
            stderr=stderr,
            **options,
        )
        self.pid = self.process.pid
        self.reader = None
        if terminal:
            os.close(stderr)
            self.reader = threading.Thread(target=self.listen, args=(master,), daemon=True)
            self.reader.start()

    def listen(self, master):
        while True:
            try:
                said = os.read(master, 4096)
            except OSError:  # a terminal's way to say that nobody writes any more
                said = b""
            if not said:
                break
            self.said += said
            if b"watching" in self.said:
                self.watching.set()
        self.watching.set()
        os.close(master)

    def wait_until_watching(self):
        assert self.watching.wait(20), "gilwatch does not say that it is watching"
        assert b"watching" in self.said, self.said.decode(errors="replace")

    def signal(self, number):
        self.process.send_signal(number)

    def finish(self, timeout=30):
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("gilwatch does not end: %s" % " ".join(self.command)) from None
        if self.reader:
            self.reader.join(5)
        self.out.seek(0)
        self.err.seek(0)
        stderr = self.said if self.reader else self.err.read()
        return Answer(
            self.command,
            self.process.returncode,
            self.out.read().decode(errors="replace"),
            stderr.decode(errors="replace"),
        )

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


class Answer:
    """What gilwatch answered: exit status, stdout, stderr."""

    def __init__(self, command, status, stdout, stderr):
        self.command, self.status, self.stdout, self.stderr = command, status, stdout, stderr

    def __str__(self):
        return "%s\nexit status %d\nstderr: %s\nstdout: %.2000s" % (
            " ".join(self.command),
            self.status,
            self.stderr,
            self.stdout,
        )

    __repr__ = __str__

    def summary(self):
        assert self.status == 0, self
        keep(self)
        return json.loads(self.stdout, parse_constant=not_json)

    def refused(self, *statuses, says=()):
        """Assert that it failed with one of the statuses and one clear line that says all that.

        Where the command line is wrong, a second one may tell where to read more.
        """
        assert self.status in statuses, self
        lines = self.stderr.strip().splitlines()
        if self.status == USAGE and len(lines) == 2:
            assert lines.pop().startswith("Try"), self
        assert len(lines) == 1, self
        assert lines[0].startswith("gilwatch"), self
        for words in says:
            assert words.lower() in lines[0].lower(), "it does not say %r\n%s" % (words, self)


def keep(answer):
    """Store the answer of a test in the directory GILWATCH_KEEP, to be looked at."""
    directory = os.environ.get("GILWATCH_KEEP")
    if directory:
        test = os.environ["PYTEST_CURRENT_TEST"].split("::")[-1].split(" ")[0]
        with open(os.path.join(directory, test.replace("/", "_") + ".jsonl"), "a") as file:
            file.write(" ".join(answer.command) + "\n" + answer.stdout)


def not_json(word):
    raise AssertionError("%s is not JSON" % word)


def run(*args, timeout=60, **options):
    with Gilwatch(*args, **options) as gilwatch:
        return gilwatch.finish(timeout)


# --- the kernel's books -----------------------------------------------------------------------


class Schedstat:
    """Samples run + wait of all threads of a process, to be read at any time in between.

    The kernel brings the run time of a running thread up to date with every tick, and the wait when
    it ends: a reading in between is late by that much.
    """

    PERIOD_S = 0.010

    def __init__(self, pid):
        self.files = {}
        for tid in os.listdir("/proc/%d/task" % pid):
            with contextlib.suppress(OSError):  # it ended
                path = "/proc/%d/task/%s/schedstat" % (pid, tid)
                self.files[int(tid)] = os.open(path, os.O_RDONLY)
        self.samples = {tid: [] for tid in self.files}
        self.over = threading.Event()
        self.read()
        self.thread = threading.Thread(target=self.sample)
        self.thread.start()

    def sample(self):
        while not self.over.wait(self.PERIOD_S):
            self.read()

    def read(self):
        for tid, file in self.files.items():
            with contextlib.suppress(OSError):  # it ended
                run_ns, wait_ns = os.pread(file, 100, 0).split()[:2]
                self.samples[tid].append((time.monotonic_ns(), int(run_ns) + int(wait_ns)))

    def stop(self):
        self.over.set()
        self.thread.join()
        self.read()
        for file in self.files.values():
            os.close(file)

    def seconds(self, tid, start_ns, end_ns):
        log = self.samples[tid]
        return (at(log, end_ns) - at(log, start_ns)) / 1e9


def at(log, time_ns, column=1):
    """The value of a log of (time, value …) at a time, between two entries in proportion."""
    low, high = 0, len(log) - 1
    assert log and log[0][0] <= time_ns <= log[high][0], "the log does not reach that far"
    while high - low > 1:
        middle = (low + high) // 2
        if log[middle][0] <= time_ns:
            low = middle
        else:
            high = middle
    before, after = log[low], log[high]
    if after[0] == before[0]:
        return after[column]
    part = (time_ns - before[0]) / (after[0] - before[0])
    return before[column] + part * (after[column] - before[column])


def overlap_s(intervals, start_ns, end_ns):
    """How much of the intervals lies between start and end."""
    inside = (min(end, end_ns) - max(start, start_ns) for start, end in intervals)
    return sum(length for length in inside if length > 0) / 1e9


def window(summary):
    return summary["window"]["start_monotonic_ns"], summary["window"]["end_monotonic_ns"]


def only_process(summary):
    """The one that was asked for; its children are beside it."""
    (process,) = [process for process in summary["processes"] if not process.get("child")]
    assert process["error"] is None, process["error"]
    return process


def thread(process, tid):
    found = [thread for thread in process["threads"] if thread["tid"] == tid]
    return found[0] if found else None


def verdict_codes(process):
    return [verdict["code"] for verdict in process["verdicts"]]


# --- the bytes of the target ------------------------------------------------------------------


def changed_text(pid):
    """Where the executable memory of a Python process differs from its files: [(file, offset)].

    Breakpoints are bytes written into these pages by the kernel; nothing else changes them.
    """
    changed = []
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as memory:
        for line in maps:
            fields = line.split(None, 5)
            if len(fields) < 6 or "x" not in fields[1] or "python" not in fields[5]:
                continue
            start, end = (int(address, 16) for address in fields[0].split("-"))
            offset, path = int(fields[2], 16), fields[5].strip()
            with open(path, "rb") as file:
                file.seek(offset)
                stored = file.read(end - start)
            memory.seek(start)
            mapped = memory.read(len(stored))
            assert len(mapped) == len(stored)
            if mapped != stored:
                changed += [
                    (path, offset + index)
                    for index in range(len(stored))
                    if mapped[index] != stored[index]
                ]
    return changed


def wait_for_clean_text(pid, seconds=5):
    """Wait until no byte of the target's text differs from the file; what is left after that."""
    end = time.monotonic() + seconds
    while changed_text(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return changed_text(pid)
