# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What gilwatch itself takes: until it counts, of a CPU, and of memory, BPF maps included."""

import json
import os
import re
import signal
import subprocess
import tempfile
import time

import stats
from observers import BUILD, GILWATCH, NotAtHand, last_line
from programs import Program

ENGINES = ("auto", "sched", "uprobe")
TASK_STORAGE = 29  # enum bpf_map_type
# What the kernel keeps beside a value in a task's storage, about (struct bpf_local_storage_elem).
STORAGE_HEAD = 80
CPUCLOCK_SCHED = 2  # of the process with that ID: include/linux/posix-timers.h


def start_ms(pid, engine):
    """From its exec to the first moment that counts."""
    command = [GILWATCH, "summary", "-p", str(pid), "-d", "100ms", "--json", "--engine=" + engine]
    began_ns = time.monotonic_ns()
    asked = subprocess.run(command, capture_output=True, text=True)
    if asked.returncode:
        raise NotAtHand(last_line(asked.stderr))
    return (json.loads(asked.stdout)["window"]["start_monotonic_ns"] - began_ns) / 1e6


def look(pid, engine, looks=20):
    """How long a snapshot takes, in ms, the first not counted; threads; events lost."""
    command = [BUILD / "bench" / "look", engine, str(pid), str(looks)]
    asked = subprocess.run(command, capture_output=True, text=True)
    if asked.returncode:
        raise NotAtHand(last_line(asked.stderr))
    told = json.loads(asked.stdout)
    return [ns / 1e6 for ns in told["look_ns"][1:]], told["threads"], told["lost"]


def cpu_s(pid):
    """To the nanosecond; /proc/PID/stat has what ticks of 10 ms found, of which there are few."""
    return time.clock_gettime(~pid << 3 | CPUCLOCK_SCHED)


def rss_mib(pid):
    status = open("/proc/%d/status" % pid).read()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


def mapped_maps_mib(pid):
    """What of the RSS are its BPF maps, which it maps: the maps' own memory has it already."""
    smaps = open("/proc/%d/smaps" % pid).read()
    found = re.findall(r"^\S+ \S+ \S+ \S+ \S+ +anon_inode:bpf-map\n(?:\w+:.*\n)*?Rss:\s+(\d+)", smaps, re.M)
    return sum(map(int, found)) / 1024


def maps_mib(pid, threads):
    """The memory of its BPF maps, by what the kernel says of each; it leaves out the values in
    tasks' storage, of which there is one a thread."""
    sizes = {}
    for name in os.listdir("/proc/%d/fdinfo" % pid):
        try:
            fields = dict(re.findall(r"^(\w+):\s+(\d+)$", open("/proc/%d/fdinfo/%s" % (pid, name)).read(), re.M))
        except OSError:
            continue
        if "map_id" not in fields:
            continue
        size = int(fields["memlock"])
        if int(fields["map_type"]) == TASK_STORAGE:
            size += threads * (int(fields["value_size"]) + STORAGE_HEAD)
        sizes[fields["map_id"]] = size
    return sum(sizes.values()) / 2**20


def at_work(pid, engine, threads, seconds, options=()):
    """Its own figures while it writes an interval a second into a file: share of a core, MiB of it
    and of its maps."""
    command = [GILWATCH, "-p", str(pid), "--engine=" + engine, *options, "1"]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        try:
            time.sleep(4)  # for the start, and for its memory to grow as large as it gets
            if process.poll() is not None:
                err.seek(0)
                raise NotAtHand(last_line(err.read().decode(errors="replace")))
            before, began = cpu_s(process.pid), time.monotonic()
            time.sleep(seconds)
            used, elapsed = cpu_s(process.pid) - before, time.monotonic() - began
            rss = rss_mib(process.pid) - mapped_maps_mib(process.pid)
            return used / elapsed, rss, maps_mib(process.pid, threads)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


# --- rows ---------------------------------------------------------------------------------------


def row(what, unit, tool, values, below=None):
    estimated = stats.estimate(values)
    value, low, high = estimated or (None, None, None)
    made = {"what": what, "unit": unit, "tool": tool, "value": value, "low": low, "high": high}
    made.update(rounds=len(values), reason=None, target=None, verdict=None)
    if below is not None:
        made.update(target="< %g" % below, verdict=stats.judge_value(estimated, below))
    return made


def missing(what, unit, tool, reason):
    return {**row(what, unit, tool, []), "reason": reason}


def start_rows(words, times):
    what, rows = "from start to the first event counted", []
    with Program("cycles", "--rate", "20000", words=words) as program:
        for engine in ENGINES:
            tool = "gilwatch " + engine
            try:
                values = [start_ms(program.pid, engine) for _ in range(times)]
                rows.append(row(what, "ms", tool, values, 300))
            except NotAtHand as reason:
                rows.append(missing(what, "ms", tool, str(reason)))
    return rows


def look_rows(program, threads):
    rows = []
    what = "a snapshot of %s threads" % format(threads, ",")
    for engine in ("sched", "uprobe"):
        tool = "gilwatch " + engine
        try:
            values, seen, lost = look(program.pid, engine)
        except NotAtHand as reason:
            rows.append(missing(what, "ms", tool, str(reason)))
            continue
        rows.append(row(what, "ms", tool, values, 5 if threads == 1000 else None))
        if seen != threads:
            rows[-1]["reason"] = "it saw %d threads" % seen
        rows.append(row("events lost, %s threads" % format(threads, ","), "", tool, [lost], 1))
    return rows


def own_rows(program, threads, times, seconds, options=()):
    """Of rows of text, for which there is a target, or with other options."""
    tool, size = " ".join(("gilwatch auto", *options)), format(threads, ",")
    limits = (0.5, 20) if threads == 1000 and not options else (None, None)
    named = [
        ("own CPU, %s threads, 1 s interval" % size, "% of a core", limits[0]),
        ("own memory, %s threads: RSS + BPF maps" % size, "MiB", limits[1]),
        ("of that, BPF maps", "MiB", None),
    ]
    try:
        found = [at_work(program.pid, "auto", threads, seconds, options) for _ in range(times)]
    except NotAtHand as reason:
        return [missing(what, unit, tool, str(reason)) for what, unit, _ in named]
    columns = (
        [100 * share for share, _, _ in found],
        [rss + maps for _, rss, maps in found],
        [maps for _, _, maps in found],
    )
    return [row(*what[:2], tool, values, what[2]) for what, values in zip(named, columns)]


def measure(words, fast):
    rows = start_rows(words, 3 if fast else 9)
    for threads, every_s in ((1000, 1), (10000, 5)):
        arguments = "--threads", threads, "--every", every_s
        with Program("idle", *arguments, words=words) as program:
            time.sleep(1)
            rows += look_rows(program, threads)
            for options in ((), ("--json",)):
                rows += own_rows(program, threads, 1 if fast else 3, 5 if fast else 10, options)
    return rows
