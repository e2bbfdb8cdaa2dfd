# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads that are off the CPU without the GIL: each second of it in its cause."""

import pytest
from harness import overlap_s, verdict_codes
from laws import blocked_s
from measure import BOTH, interpreters, measure


def find_cause(measured, name, cause):
    for engine in BOTH:
        where = measured.thread(engine, name)["where"]
        blocked = blocked_s(where)
        measured.findings.at_least(engine + ": blocked at all", blocked, 0.05)
        measured.findings.at_least(
            "%s: %s, share of the blocked time of %s" % (engine, cause, where),
            where[cause + "_s"] / max(blocked, 1e-9),
            0.95,
        )


def find_verdict(measured, code):
    for engine in BOTH:
        codes = verdict_codes(measured.process(engine))
        measured.findings.true("%s: %s is not in %s" % (engine, code, codes), code in codes)


# 3.8 – 3.10 sleep in select, later ones in clock_nanosleep.
@pytest.mark.parametrize("python", interpreters("system", "3.13"))
def test_sleep(python):
    measured = measure("sleep", python=python, seconds=4)
    find_cause(measured, "sleeper", "sleep")
    for engine in BOTH:
        truth_s = overlap_s(measured.truth["sleeps"], *measured.window(engine))
        slept_s = measured.thread(engine, "sleeper")["states"]["sleep_s"]
        measured.findings.near(engine + ": sleep against the program's clock", slept_s, truth_s, 0.01)
    measured.findings.report()


@pytest.mark.parametrize("how", ["direct", "fsync"])
def test_disk(how, disk_directory):
    measured = measure("disk", "--how", how, "--directory", disk_directory, seconds=6)
    find_cause(measured, "disk", "disk")
    measured.findings.report()


@pytest.mark.parametrize("timeout", [0, 5], ids=["blocking", "timeout"])
@pytest.mark.parametrize("family", ["pair", "tcp"])
def test_socket(family, timeout):
    measured = measure("socket_", "--family", family, "--timeout", timeout)
    find_cause(measured, "receiver", "net")
    find_verdict(measured, "io_bound")
    measured.findings.report()


def test_pipe():
    measured = measure("pipe")
    find_cause(measured, "reader", "pipe")
    find_verdict(measured, "io_bound")
    measured.findings.report()


@pytest.mark.parametrize("how", ["poll", "epoll", "select"])
def test_poll(how):
    measured = measure("poll", "--how", how)
    find_cause(measured, "poller", "poll")
    find_verdict(measured, "io_bound")
    measured.findings.report()


def test_lock():
    measured = measure("lock")
    find_cause(measured, "waiter", "lock")
    find_cause(measured, "holder", "sleep")
    measured.findings.report()


def test_child():
    measured = measure("child")
    find_cause(measured, "waiter", "child")
    measured.findings.report()


def test_major_faults(disk_directory):
    measured = measure("fault", "--directory", disk_directory, seconds=6)
    faults = measured.truth["faults"]
    measured.findings.at_least("major faults", faults[-1][1] - faults[0][1], 500)
    find_cause(measured, "toucher", "fault")
    measured.findings.report()
