# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Threads have the names that Python gave them."""

import subprocess

import pytest
from harness import INTERPRETERS, SYSTEM_PYTHON, Workload, only_process, run
from matrix import NAMES, minor_version

NAME_BYTES = 63  # as much of a name is kept
KERNEL_BYTES = 15


def expected(name, minor):
    """From 3.14 on the kernel has the name, of which it keeps less."""
    kept = NAME_BYTES if minor < 14 else KERNEL_BYTES
    return name.replace("\udc80", "\ufffd").encode()[:kept].decode("utf-8", "ignore")


def is_kept(name, minor):
    """The kernel learns a name as its thread starts; how Python encodes it is Python's affair."""
    return minor < 14 or (name.isascii() and name != "renamed later")


@pytest.mark.parametrize("name", NAMES)
def test_threads_have_their_names(name):
    minor = minor_version(name)
    with Workload("names", python=INTERPRETERS[name]) as work:
        answer = run("summary", "-p", work.pid, "-d", 0.3, "--json", "--engine=sched")
        truth = {int(tid): name for tid, name in work.ready["names"].items()}
    threads = {thread["tid"]: thread["name"] for thread in only_process(answer.summary())["threads"]}
    assert set(threads) == set(truth)
    for tid, name in truth.items():
        if is_kept(name, minor):
            assert threads[tid] == expected(name, minor), (tid, name)
    assert threads[work.pid] == "MainThread"


def test_the_main_thread_by_another_name():
    with Workload("names", "--main", "the boss") as work:
        answer = run("summary", "-p", work.pid, "-d", 0.3, "--json", "--engine=sched")
    threads = {thread["tid"]: thread["name"] for thread in only_process(answer.summary())["threads"]}
    assert threads[work.pid] == "the boss"


def test_without_threading():
    """Nobody imported it: the main thread is known all the same, the other by the kernel's name."""
    code = (
        "import _thread, sys, time\n"
        "assert 'threading' not in sys.modules\n"
        "_thread.start_new_thread(time.sleep, (600,))\n"
        "print('x', flush=True)\n"
        "time.sleep(600)\n"
    )
    command = [SYSTEM_PYTHON, "-I", "-S", "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"x\n"
            answer = run("summary", "-p", process.pid, "-d", 0.3, "--json", "--engine=sched")
        finally:
            process.kill()
    threads = {thread["tid"]: thread["name"] for thread in only_process(answer.summary())["threads"]}
    assert threads.pop(process.pid) == "MainThread"
    assert list(threads.values()) == ["python3"]
