# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""doctor: what it says can be done can be done, and every no has its reason and a way out."""

import ctypes
import json
import os
import stat
import subprocess
import time

import pytest
from harness import (
    INTERPRETERS,
    NO_TARGET,
    RIGHTS,
    USAGE,
    Workload,
    changed_text,
    not_json,
    other_process,
    run,
)
from laws import Draft202012Validator
from test_list import NOBODY, python_sleeper, sleepers, validator

SECRET = "hunter2-do-not-tell"


def report(answer, *statuses):
    assert answer.status in (statuses or (0,)), answer
    assert answer.stderr == "", answer
    return checked(json.loads(answer.stdout, parse_constant=not_json))


def checked(result):
    if Draft202012Validator:
        validator("doctor").validate(result)
    return result


def doctor(*args, statuses=(0,), **options):
    return report(run("doctor", "--json", *args, **options), *statuses)


def results(result):
    return {check["name"]: check["result"] for check in result["checks"]}


def test_host():
    result = doctor()
    assert result["can"] == {"sched": True, "uprobe": True}
    assert "pid" not in result
    found = results(result)
    for name in ("kernel", "btf", "CAP_BPF", "CAP_PERFMON", "CAP_SYS_PTRACE", "CAP_SYS_ADMIN"):
        assert found[name] == "ok"
    for name in ("sched_switch", "sched_wakeup", "cpu_clock"):
        assert found[name] == "ok"
    assert {
        "lockdown",
        "perf_event_paranoid",
        "unprivileged_bpf_disabled",
        "memlock",
        "seccomp",
        "container",
        "pid_namespace",
        "uprobes",
        "probe_cost",
    } <= set(found)


def test_process():
    with Workload("spin") as work:
        result = doctor("-p", work.pid)
        text = run("doctor", "-p", work.pid)
        assert changed_text(work.pid) == []
    assert result["pid"] == work.pid
    assert result["can"] == {"sched": True, "uprobe": True}
    assert result["because"] == {"sched": None, "uprobe": None}
    assert len(result["gils"]) == 1 and result["gil_interpreters"] == [0]
    sites = result["sites"]
    assert sites["file"] == result["python"]["file"]
    # The instructions at these offsets of the file are calls.
    with open(sites["file"], "rb") as file:
        for offset in sites["acquire"] + sites["release"]:
            file.seek(offset)
            assert file.read(1) == b"\xe8", hex(offset)
    trial = result["trial"]
    assert trial["engine"] == "sched" and trial["hits"] is None
    assert trial["threads"] == len(work.tids)
    assert 0.9 < trial["elapsed_s"] < 2
    total = sum(value for value in trial["states"].values() if isinstance(value, float))
    assert abs(total - trial["check"]["wall_s"]) < 0.001 * total
    assert text.status == 0 and "PROCESS %d" % work.pid in text.stdout


@pytest.mark.parametrize("name", sorted(set(INTERPRETERS) & {"2.7", "3.6", "3.7"}))
def test_too_old(name):
    with sleepers(python_sleeper(INTERPRETERS[name])) as (pid,):
        result = doctor("-p", pid, statuses=[NO_TARGET])
    assert result["can"] == {"sched": False, "uprobe": False}
    assert result["python"]["version"].startswith(name)
    assert "older" in result["because"]["sched"]
    assert result["trial"] is None and result["sites"] is None


def test_no_python():
    with other_process("sleep", "60") as process:
        result = doctor("-p", process.pid, statuses=[NO_TARGET])
    assert result["python"] is None
    assert "maps no CPython" in result["because"]["sched"]


def test_no_process():
    result = doctor("-p", 0x3FFFFFFF, statuses=[NO_TARGET])
    assert "there is no process" in result["because"]["sched"]


def test_nobody():
    """Without rights it names each that is missing, and leaves with the status for that."""
    result = doctor(statuses=[RIGHTS], user=NOBODY, group=NOBODY, extra_groups=[])
    found = results(result)
    for name in ("CAP_BPF", "CAP_PERFMON", "CAP_SYS_PTRACE"):
        assert found[name] == "no"
        assert name in result["because"]["sched"]
    assert found["sched_switch"] == "no" and found["cpu_clock"] == "no"
    assert all(check["way_out"] for check in result["checks"] if check["result"] == "no")


def test_nobody_and_a_process():
    with Workload("spin") as work:
        result = doctor(
            "-p", work.pid, statuses=[RIGHTS], user=NOBODY, group=NOBODY, extra_groups=[]
        )
    assert result["can"] == {"sched": False, "uprobe": False}
    assert "CAP_SYS_PTRACE" in result["because"]["sched"]


def drop(capability):
    """For a child: without a capability in its bounding set, which root's exec goes by."""

    def before_exec():
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.prctl(24, capability, 0, 0, 0) == 0  # PR_CAPBSET_DROP

    return before_exec


@pytest.mark.parametrize("name, number", [("CAP_SYS_PTRACE", 19), ("CAP_SYS_ADMIN", 21)])
def test_one_capability_less(name, number):
    needed = name == "CAP_SYS_PTRACE"
    result = doctor(statuses=[RIGHTS if needed else 0], preexec_fn=drop(number))
    assert results(result)[name] == ("no" if needed else "note")
    assert result["can"]["sched"] is not needed
    if needed:
        assert name in result["because"]["sched"]


# --- the bundle -------------------------------------------------------------------------------


def test_bundle(tmp_path):
    file = tmp_path / "bundle.json"
    command = [INTERPRETERS["system"], *python_sleeper("")[1:], SECRET]
    with sleepers(command) as (pid,):
        answer = run("doctor", "-p", pid, "--bundle", file)
        again = run("doctor", "-p", pid, "--bundle", file)
    assert answer.status == 0 and str(file) in answer.stdout, answer
    again.refused(USAGE, says=["exists"])
    status = os.stat(file)
    assert stat.S_IMODE(status.st_mode) == 0o600
    text = file.read_text()
    assert SECRET not in text
    result = checked(json.loads(text, parse_constant=not_json))
    assert result["trial"]["engine"] == "sched"
    assert result["bundle"]["command"] is None
    files = [mapped["file"] for mapped in result["bundle"]["mapped"]]
    assert result["python"]["file"] in files and len(files) == len(set(files))


def test_bundle_with_command(tmp_path):
    file = tmp_path / "bundle.json"
    command = [INTERPRETERS["system"], *python_sleeper("")[1:], SECRET]
    with sleepers(command) as (pid,):
        assert run("doctor", "-p", pid, "--bundle", file, "--with-command").status == 0
    result = checked(json.loads(file.read_text()))
    assert SECRET in result["bundle"]["command"]


def test_bundle_belongs_to_the_caller(tmp_path):
    tmp_path.chmod(0o777)
    file = tmp_path / "bundle.json"
    environment = dict(os.environ, SUDO_UID=str(NOBODY), SUDO_GID=str(NOBODY))
    assert run("doctor", "--bundle", file, env=environment).status == 0
    assert os.stat(file).st_uid == NOBODY


def test_bundle_follows_no_link(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    run("doctor", "--bundle", link).refused(USAGE)
    assert not (tmp_path / "elsewhere").exists()


def test_full_disk():
    with open("/dev/full", "wb") as full:
        answer = run("doctor", "--json", stdout=full)
    assert answer.status == 1 and "No space" in answer.stderr, answer


def tried_programs():
    said = subprocess.run(["bpftool", "prog"], capture_output=True, text=True).stdout
    return [line for line in said.splitlines() if "gw_try" in line or "gw_trial" in line]


def test_no_leftovers():
    """Its attempts leave no probe, program or child behind."""
    doctor()
    end = time.monotonic() + 5
    left = tried_programs()
    while left and time.monotonic() < end:  # the kernel frees them when it gets to it
        time.sleep(0.05)
        left = tried_programs()
    assert not left
