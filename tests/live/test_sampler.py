# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The sampler's clock interrupts every CPU of the host: it is slow while nobody watched runs."""

import contextlib
import json
import os
import signal
import subprocess
import time

import pytest
from harness import Gilwatch, Workload, only_process, thread
from laws import check_laws

STATS = "/proc/sys/kernel/bpf_stats_enabled"
PROGRAM = "gw_on_sample"


@contextlib.contextmanager
def counted_runs():
    """The kernel counts how often each BPF program runs."""
    with open(STATS) as file:
        before = file.read()
    with open(STATS, "w") as file:
        file.write("1")
    try:
        yield
    finally:
        with open(STATS, "w") as file:
            file.write(before)


@contextlib.contextmanager
def no_idle_cpu():
    """The sampler's program is not run where a CPU idles: each has something to do."""
    spinners = [
        subprocess.Popen(["taskset", "-c", str(cpu), "sh", "-c", "while :; do :; done"])
        for cpu in os.sched_getaffinity(0)
    ]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


def ticks():
    listed = subprocess.run(["bpftool", "prog", "show", "-j"], capture_output=True, check=True)
    programs = [one for one in json.loads(listed.stdout) if one.get("name") == PROGRAM]
    # That of a watch before may still be on its way out.
    return max(programs, key=lambda one: one["id"]).get("run_cnt", 0)


def ticks_a_second():
    before, began = ticks(), time.monotonic()
    time.sleep(0.5)
    return (ticks() - before) / (time.monotonic() - began)


def wait_for(condition, what):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        rate = ticks_a_second()
        if condition(rate):
            return
    raise AssertionError("%s: %.0f ticks/s on %d CPUs" % (what, rate, os.cpu_count()))


@pytest.mark.parametrize("engine", ["sched", "auto"])
def test_the_clock_is_slow_while_nobody_watched_runs(engine):
    cpus = len(os.sched_getaffinity(0))
    slow, fast = 49 * cpus, 492 * cpus  # by the periods, if none is late
    with Workload("rest") as work, counted_runs(), no_idle_cpu():
        command = ["summary", "-p", work.pid, "-d", 120, "--json", "--engine=" + engine]
        with Gilwatch(*command, terminal=True) as gilwatch:
            gilwatch.wait_until_watching()
            wait_for(lambda rate: rate < 2 * slow, "never slow")
            work.signal(signal.SIGUSR1)
            wait_for(lambda rate: rate > fast / 3, "never fast again")
            time.sleep(1)
            gilwatch.signal(signal.SIGINT)
            result = gilwatch.finish().summary()
    check_laws(result)
    states = thread(only_process(result), work.tids["resting"])["states"]
    assert states["python_s"] >= 0.95 * (states["python_s"] + states["native_s"]) > 0.1
