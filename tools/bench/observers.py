# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The tools that are compared, one line each in TOOLS: how each is run against a process, how it says
that it has begun, and what it tells of the GIL. A tool that cannot be run says why."""

import functools
import json
import os
import pathlib
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD") or REPOSITORY / "build")
GILWATCH = os.environ.get("GILWATCH") or str(BUILD / "gilwatch")
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "gilwatch")
START_S = 20
SETTLE_S = 0.3


class NotAtHand(Exception):
    """A tool cannot be run, or does not tell something: the sentence says why."""


def peer(name):
    """A tool that tools/bench/peers.sh installs, or that is on the path."""
    kept = CACHE / "peers" / "bin" / name
    found = str(kept) if kept.exists() else shutil.which(name)
    if not found:
        raise NotAtHand("%s is not installed (tools/bench/peers.sh)" % name)
    return found


# --- commands -----------------------------------------------------------------------------------


def gilwatch(engine):
    def command(pid, out):
        return [GILWATCH, "summary", "-p", pid, "-d", 86400, "--json", "-o", out, *engine]

    return command


def empty(*which):
    return lambda pid, out: [BUILD / "bench" / "empty", BUILD / "bench" / "empty.bpf.o", *which]


def file_with_symbols(pid):
    """The mapped file in which CPython's functions are: its libpython, else its executable."""
    for line in open("/proc/%d/maps" % pid):
        fields = line.split(None, 5)
        if len(fields) == 6 and "libpython" in fields[5] and "x" in fields[1]:
            return fields[5].strip()
    return os.path.realpath("/proc/%d/exe" % pid)


# bpftrace up to 0.17 probes every process with that file, whatever -p says.
BPFTRACE = """
uprobe:{file}:take_gil /pid == {pid}/ {{ @asked[tid] = nsecs; }}
uretprobe:{file}:take_gil /@asked[tid]/ {{
	@wait_ns = sum(nsecs - @asked[tid]); delete(@asked[tid]); @taken[tid] = nsecs;
	if (@first == 0) {{ @first = nsecs; }} @last = nsecs;
}}
uprobe:{file}:drop_gil /@taken[tid]/ {{ @held_ns = sum(nsecs - @taken[tid]); delete(@taken[tid]); }}
uretprobe:{file}:drop_gil /pid == {pid}/ {{ @dropped = count(); }}
"""


def bpftrace(pid, out):
    script = BPFTRACE.format(file=file_with_symbols(pid), pid=pid)
    return [peer("bpftrace"), "-p", pid, "-e", script]


def py_spy(*options):
    def command(pid, out):
        return [peer("py-spy"), "record", "-r", 100, "-p", pid, "-f", "raw", "-o", out, *options]

    return command


def austin(pid, out):
    return [peer("austin"), "-i", "10ms", "-p", pid, "-o", out]


def tachyon(pid, out):
    words, root = python_315()
    options = ["-a", "-r", "1khz", "--mode", "gil", "--collapsed", "-o", out]
    command = [words[-1], "-m", "profiling.sampling", "attach", *options, pid]
    # With the same mounts as the program: by their paths it finds the program's files.
    return command if root == "/" else ["nsenter", "-t", pid, "-m", "chroot", root, *command]


def kept_interpreters():
    listed = subprocess.run(
        [REPOSITORY / "tools" / "interpreters.sh", "--list"], capture_output=True, text=True
    )
    return dict(
        (name, shlex.split(words))
        for name, words in (line.split("\t") for line in listed.stdout.splitlines())
    )


@functools.cache
def python_315():
    """The words that run a Python 3.15, whose sampler reads Pythons of its own version only; and the
    root directory that it runs in."""
    found = kept_interpreters().get("3.15-sid") or shutil.which("python3.15")
    if not found:
        raise NotAtHand("no Python 3.15 (tools/interpreters.sh fetches one)")
    words = [found] if isinstance(found, str) else found
    asked = subprocess.run([*words, "-c", "import profiling.sampling"], capture_output=True, text=True)
    if asked.returncode:
        raise NotAtHand("this Python 3.15 has no sampler: " + last_line(asked.stderr))
    if words[0] != "chroot":
        return words, "/"
    # What is mounted is seen by this command alone.
    mount = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
    return ["unshare", "-m", "sh", "-c", mount, *words[1:]], words[1]


# --- what they tell -----------------------------------------------------------------------------
# All of them: {"gil_wait": share of the threads' time, "held": share of the time, "forced_per_s"}


def told_by_gilwatch(text):
    (process,) = json.loads(text)["processes"]
    elapsed_s = json.loads(text)["elapsed_s"]
    threads = [thread for thread in process["threads"] if thread["tid"] != process["pid"]]
    wall_s = sum(thread["wall_s"] for thread in threads)
    gil = process["gils"][0]
    told = {"gil_wait": sum(thread["states"]["gil_wait_s"] for thread in threads) / wall_s}
    told["held"] = None if gil["holding_s"] is None else gil["holding_s"] / elapsed_s
    forced = gil["forced_releases"]
    told["forced_per_s"] = None if forced is None else forced / elapsed_s
    return told


def told_by_bpftrace(text, threads):
    found = {name: int(value) for name, value in re.findall(r"^@(\w+): (\d+)", text, re.M)}
    elapsed_ns = found["last"] - found["first"]
    return {
        "gil_wait": found.get("wait_ns", 0) / elapsed_ns / threads,
        "held": found.get("held_ns", 0) / elapsed_ns,
        "forced_per_s": None,
    }


def told_by_samples(text, elapsed_s, rate):
    """Of a sampler that keeps the samples with the GIL: STACK COUNT a line."""
    counts = [int(line.rsplit(" ", 1)[1]) for line in text.splitlines() if " " in line]
    return {"gil_wait": None, "held": sum(counts) / (elapsed_s * rate), "forced_per_s": None}


# --- the table ----------------------------------------------------------------------------------


class Tool:
    """settle_s: until it does what it does all the time; warm_s: the same, but with the program under
    load."""

    def __init__(self, name, command, ready, tells=None, needs_315=False, settle_s=SETTLE_S, warm_s=0):
        self.name, self.command, self.ready, self.tells = name, command, ready, tells
        self.needs_315, self.settle_s, self.warm_s = needs_315, settle_s, warm_s

    def __repr__(self):
        return self.name


def of_gilwatch(text, elapsed_s, threads):
    return told_by_gilwatch(text)


def of_bpftrace(text, elapsed_s, threads):
    return told_by_bpftrace(text, threads)


def of_sampler(rate):
    return lambda text, elapsed_s, threads: told_by_samples(text, elapsed_s, rate)


WATCHING = rb"watching"
AUTO, SCHED, UPROBE = "gilwatch auto", "gilwatch sched", "gilwatch uprobe"
EMPTY, EMPTY_ALL, BARE_AGAIN = "empty program", "empty programs, all events", "bare again"
TOOLS = {
    tool.name: tool
    for tool in (
        Tool(BARE_AGAIN, None, None, settle_s=0),
        # At first it may use what every process has a credit for: 5 ms of CPU time at 2 %; and the
        # sampler rests where nobody watched has run for two seconds.
        Tool(AUTO, gilwatch(["--engine=auto"]), WATCHING, of_gilwatch, warm_s=2),
        Tool(SCHED, gilwatch(["--engine=sched"]), WATCHING, of_gilwatch, warm_s=2),
        Tool(UPROBE, gilwatch(["--engine=uprobe"]), WATCHING, of_gilwatch, warm_s=2),
        Tool("bpftrace take_gil/drop_gil", bpftrace, rb"Attaching", of_bpftrace, settle_s=1.5),
        Tool("py-spy 100 Hz", py_spy(), rb"Sampling"),
        Tool("py-spy 100 Hz --gil", py_spy("--gil"), rb"Sampling", of_sampler(100)),
        Tool("3.15 sampling 1 kHz", tachyon, None, of_sampler(1000), needs_315=True, settle_s=1.5),
        Tool("austin 100 Hz", austin, None, settle_s=1),
        Tool(EMPTY, empty(), rb"attached"),
        Tool(EMPTY_ALL, empty("all"), rb"attached"),
    )
}
NO_TOOLS = (BARE_AGAIN, EMPTY, EMPTY_ALL)
GILWATCHES = (AUTO, SCHED, UPROBE)


# --- running one --------------------------------------------------------------------------------


def last_line(text):
    text = re.sub(r"\x1b\[[\d;]*m", "", text)
    lines = [line.strip() for line in text.replace("\r", "\n").splitlines() if line.strip()]
    return lines[-1][:160] if lines else "it says nothing"


# The sampler of 3.15 asks for a locale that its root may lack.
PLAIN = {**os.environ, "LC_ALL": "C", "NO_COLOR": "1"}


class Observed:
    """A tool at work on a process: "with" starts it, waits until it has begun, and ends it."""

    def __init__(self, tool, pid, root="/"):
        self.tool, self.pid, self.root = tool, pid, root if tool.needs_315 else "/"
        self.process, self.said = None, b""

    def __enter__(self):
        if self.tool.command is None:
            return self
        place = os.path.join(self.root, "tmp") if self.root != "/" else None
        self.folder = tempfile.mkdtemp(prefix="gilwatch-bench-", dir=place)
        self.out = os.path.join(self.folder, "out")
        try:
            self.begin()
        except BaseException:
            self.end()
            raise
        return self

    def begin(self):
        inside = self.out[len(self.root) :] if self.root != "/" else self.out
        command = [str(word) for word in self.tool.command(self.pid, inside)]
        # Some speak of their progress on a terminal only.
        self.terminal, end = pty.openpty()
        self.began = time.monotonic()
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=end, stderr=end, start_new_session=True, env=PLAIN
            )
        except OSError as error:
            raise NotAtHand("%s: %s" % (command[0], error.strerror)) from None
        finally:
            os.close(end)
        self.wait_until_ready()
        self.listen(self.tool.settle_s)
        if self.process.poll() is not None:
            raise NotAtHand(last_line(self.said.decode(errors="replace")))
        self.began = time.monotonic()

    def listen(self, seconds, until=None):
        """Read what it says, for so long, or until it has said that."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not (until and re.search(until, self.said)):
            readable, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            try:
                said = os.read(self.terminal, 65536) if readable else None
            except OSError:  # a terminal's way to say that nobody writes any more
                said = b""
            if said == b"":
                self.process.wait(5)
                return
            self.said += said or b""

    def wait_until_ready(self):
        if not self.tool.ready:
            return
        self.listen(START_S, self.tool.ready)
        if not re.search(self.tool.ready, self.said):
            raise NotAtHand("it does not begin: " + last_line(self.said.decode(errors="replace")))

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            deadline = time.monotonic() + START_S
            while self.process.poll() is None and time.monotonic() < deadline:
                self.listen(0.05)
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        if self.process:
            self.listen(0.1)
            os.close(self.terminal)

    def __exit__(self, *_):
        if self.process:
            self.elapsed_s = time.monotonic() - self.began
            self.end()
            self.text = self.read_out()
            shutil.rmtree(self.folder, ignore_errors=True)

    def read_out(self):
        """What it wrote into its file; of one that has none, what it said."""
        if not os.path.exists(self.out):
            return self.said.decode(errors="replace").replace("\r", "")
        with open(self.out, errors="replace") as file:
            return file.read()

    def told(self, threads):
        if not self.tool.tells:
            raise NotAtHand("it does not tell")
        try:
            return self.tool.tells(self.text, self.elapsed_s, threads)
        except (ValueError, KeyError, IndexError, ZeroDivisionError) as error:
            raise NotAtHand("its output was not understood: %r" % error) from None
