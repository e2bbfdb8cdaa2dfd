# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
import ctypes
import os
import struct
import sys

import pytest
from _pytest.runner import runtestprotocol
from harness import (
    GILWATCH,
    INTERPRETERS,
    SYSTEM_PYTHON,
    Others,
    block_directory,
    claim_cpus,
)
from laws import Draft202012Validator

SYS_BPF = {"x86_64": 321, "aarch64": 280}
BPF_PROG_LOAD = 5
BPF_PROG_TYPE_KPROBE = 2


def why_no_bpf():
    """Load a program of two instructions, of a type that needs what gilwatch needs."""
    # r0 = 0; exit
    program = ctypes.create_string_buffer(struct.pack("<BBhiBBhi", 0xB7, 0, 0, 0, 0x95, 0, 0, 0))
    licence = ctypes.create_string_buffer(b"GPL")
    attributes = struct.pack(
        "<IIQQ", BPF_PROG_TYPE_KPROBE, 2, ctypes.addressof(program), ctypes.addressof(licence)
    )
    libc = ctypes.CDLL(None, use_errno=True)
    number = SYS_BPF[os.uname().machine]
    descriptor = libc.syscall(
        ctypes.c_long(number),
        ctypes.c_long(BPF_PROG_LOAD),
        ctypes.c_char_p(attributes.ljust(128, b"\0")),
        ctypes.c_long(128),
    )
    if descriptor < 0:
        return os.strerror(ctypes.get_errno())
    os.close(descriptor)
    return None


def pytest_configure(config):
    claim_cpus()
    config.addinivalue_line("markers", "slow: takes longer than half a minute")


def pytest_collection_modifyitems(items):
    """Without the right to load BPF nothing here can run: say so once, and fail only in CI."""
    if not items:
        return
    if not os.access(GILWATCH, os.X_OK):
        pytest.exit("there is no %s: build it first, or name one in GILWATCH" % GILWATCH, 1)
    if not os.path.exists(SYSTEM_PYTHON):
        pytest.exit("the live tests need %s" % SYSTEM_PYTHON, 1)
    reason = why_no_bpf()
    if not reason:
        return
    reason = "live tests skipped: this machine does not let us load BPF programs (%s)" % reason
    if os.environ.get("CI") == "true":
        pytest.exit(reason, 1)
    print(reason, file=sys.stderr)
    for item in items:
        item.add_marker(pytest.mark.skip(reason=reason))


MEASUREMENTS = ("test_gil test_blocked test_cpu test_matrix test_containers test_gils").split()
ATTEMPTS = 3
TAKEN_AGAIN = pytest.StashKey()


def pytest_runtest_protocol(item, nextitem):
    """A measurement that fails is taken again, twice at most; the end of the run tells of each.

    Nothing keeps others off the machine's CPUs (its host's included), and a window in which they
    were busy says nothing of gilwatch. What is wrong in gilwatch fails every time.
    """
    if item.module.__name__ not in MEASUREMENTS:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for attempt in range(1, ATTEMPTS + 1):
        others = Others()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        if attempt == ATTEMPTS or not any(report.failed for report in reports):
            break
        taken_again = item.config.stash.setdefault(TAKEN_AGAIN, [])
        why = "".join(report.longreprtext for report in reports)
        taken_again.append((item.nodeid, attempt, others.share(), why))
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_terminal_summary(terminalreporter, config):
    taken_again = config.stash.get(TAKEN_AGAIN, [])
    if not taken_again:
        return
    terminalreporter.section("measurements taken again: %d" % len(taken_again))
    for test, attempt, share, why in taken_again:
        found = [line[1:].strip() for line in why.splitlines() if line.startswith("E ")]
        terminalreporter.line(
            "%s: attempt %d failed while others used %.2f CPUs:" % (test, attempt, share)
        )
        for line in found[:6]:
            terminalreporter.line("    " + line[:200])


def pytest_report_header():
    header = ["gilwatch: %s; interpreters: %s" % (GILWATCH, ", ".join(INTERPRETERS))]
    if not Draft202012Validator:
        header.append("python3-jsonschema is not here: summaries are not validated by the schema")
    return header


@pytest.fixture
def disk_directory():
    """An empty directory on a disk."""
    directory = block_directory()
    if not directory:
        pytest.skip("no directory on a block device; name one in GILWATCH_TEST_DIR")
    yield directory
    for name in os.listdir(directory):
        os.unlink(os.path.join(directory, name))
    os.rmdir(directory)
