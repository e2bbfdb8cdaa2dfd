# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The auto engine: probes while they fit the budget, windows of them where they do not.

What is asserted is the mechanism: which engine gave what, that it changes, and that the laws hold
across each change. How much the probes cost here and now is up to the machine.
"""

import contextlib
import json
import signal
import time

import pytest
from harness import (
    USAGE,
    Gilwatch,
    Workload,
    at,
    changed_text,
    only_process,
    run,
    wait_for_clean_text,
    window,
)
from laws import check_laws

# Of a process that may be kept from the CPUs: windows come soon, and nothing has to be exact.
ROOMY = "--max-overhead=10"


def summary(pid, *args):
    return run("summary", "-p", pid, "--json", *args).summary()


def probed(process):
    """The laws of what only probes see: it adds up to no more than the time under them."""
    (gil,) = process["gils"]
    basis = process["basis"]
    assert basis["hold"] == basis["forced_releases"]
    assert basis["hold"]["coverage_s"] == pytest.approx(process["exact_s"], abs=1e-6)
    assert gil["exact_s"] == pytest.approx(process["exact_s"], abs=1e-6)
    assert process["exact_s"] <= process["elapsed_s"] * 1.001
    assert abs(gil["acquisitions"] - gil["releases"]) <= 2 + process["windows"]
    assert gil["acquisitions"] + gil["releases"] <= process["overhead"]["hits"]
    assert gil["hold"]["count"] <= gil["releases"]
    # No hold counts that began before a window.
    assert gil["hold"]["sum_s"] <= process["exact_s"] * 1.001 + 0.001
    return gil


def test_spinning_threads_stay_exact():
    with Workload("spin") as work:
        result = summary(work.pid, "-d", 1)
    check_laws(result)
    process = only_process(result)
    assert process["engine"] == "uprobe" and process["engine_changes"] == []
    assert process["windows"] == 0
    assert process["basis"]["hold"]["kind"] == "exact"
    assert process["basis"]["python_s"]["kind"] == "exact"
    assert process["exact_s"] == pytest.approx(process["elapsed_s"], rel=0.001)
    assert process["overhead"]["budget"] == 0.02
    assert 0.1e-6 < process["overhead"]["hit_s"] < 1e-3
    probed(process)


def test_a_fast_loop_has_windows():
    with Workload("cycles", "--rate", 0, "--every", 50) as work:
        result = summary(work.pid, "-d", 5, ROOMY)
        assert wait_for_clean_text(work.pid) == []
        truth = work.finish()
    check_laws(result)
    process = only_process(result)
    assert process["engine"] == "sched"
    assert "budget of 10 %" in process["engine_reason"], process["engine_reason"]
    (change,) = process["engine_changes"]
    assert (change["from"], change["to"]) == ("uprobe", "sched")
    assert change["reason"] == process["engine_reason"]
    assert process["windows"] >= 2
    assert process["basis"]["hold"]["kind"] == "sampled"
    assert "windows" in process["basis"]["hold"]["reason"]
    assert process["basis"]["python_s"]["kind"] == "sampled"
    assert process["basis"]["gil_wait_s"]["kind"] == "exact"
    assert 0 < process["exact_s"] < 0.5 * process["elapsed_s"]
    gil = probed(process)
    assert gil["acquisitions"] > 100 * process["windows"]
    # It made more cycles than were seen: those without probes.
    log = truth["cycles"]["cycler0"]
    start_ns, end_ns = window(result)
    assert at(log, end_ns) - at(log, start_ns) > gil["acquisitions"]


def test_fast_loops_beside_spinners():
    """Many waits and holds across the edges of windows, forced releases among them."""
    arguments = ["--threads", 2, "--spinners", 1, "--rate", 0, "--every", 50]
    with Workload("cycles", *arguments, "--interval", 0.0005) as work:
        result = summary(work.pid, "-d", 4, "--max-overhead=4")
    check_laws(result)
    process = only_process(result)
    assert process["states"]["gil_wait_s"] > 0
    assert process["basis"]["wait"]["kind"] == "exact"
    (gil,) = process["gils"]
    assert gil["wait"]["count"] > 0
    probed(process)


def breakpoints_go(pid, seconds):
    """They may come back at once, for a window."""
    end = time.monotonic() + seconds
    while changed_text(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def breakpoints_stay(pid, seconds):
    end = time.monotonic() + seconds
    while changed_text(pid):
        if time.monotonic() > end:
            return True
        time.sleep(0.02)
    return False


def test_exact_again_when_the_rate_falls():
    with Workload("bursts") as work:
        with Gilwatch(
            *("summary", "-p", work.pid, "-d", 60, "--json", ROOMY), terminal=True
        ) as gilwatch:
            gilwatch.wait_until_watching()
            assert breakpoints_go(work.pid, 30)
            work.signal(signal.SIGUSR1)
            end = time.monotonic() + 40
            # Windows are 0.2 s apart; what closes them may be late on a machine that has no time.
            while not breakpoints_stay(work.pid, 2):
                assert time.monotonic() < end, "the probes do not come back"
                time.sleep(0.01)
            gilwatch.signal(signal.SIGINT)
            result = gilwatch.finish().summary()
    check_laws(result)
    process = only_process(result)
    assert process["engine"] == "uprobe"
    turns = [(change["from"], change["to"]) for change in process["engine_changes"]]
    assert turns[:2] == [("uprobe", "sched"), ("sched", "uprobe")], turns
    assert turns == turns[:2] * (len(turns) // 2)
    assert process["basis"]["hold"]["kind"] == "sampled"
    probed(process)


def test_bursts_every_second():
    with Workload("bursts", "--period", 1) as work:
        result = summary(work.pid, "-d", 6, ROOMY)
    check_laws(result)
    process = only_process(result)
    # A second after the first, two after the second, four …
    assert 1 <= len(process["engine_changes"]) <= 6, process["engine_changes"]
    probed(process)


def test_stopped_and_continued():
    with Workload("cycles", "--rate", 0, "--every", 50) as work:
        with Gilwatch(
            *("summary", "-p", work.pid, "-d", 3, "--json", ROOMY), terminal=True
        ) as gilwatch:
            gilwatch.wait_until_watching()
            time.sleep(0.5)
            work.signal(signal.SIGSTOP)
            time.sleep(1)
            work.signal(signal.SIGCONT)
            result = gilwatch.finish().summary()
    check_laws(result)
    process = only_process(result)
    assert process["states"]["stopped_s"] > 0.5
    probed(process)


def test_twenty_at_once():
    """Each has its own account. A window takes the kernel's time: two a tick, in turn."""
    with contextlib.ExitStack() as stack:
        works = [
            stack.enter_context(Workload("bursts" if i % 4 == 0 else "sleep")) for i in range(20)
        ]
        pids = ",".join(str(work.pid) for work in works)
        answer = run("summary", "-p", pids, "-d", 2, "--json", ROOMY)
        assert all(wait_for_clean_text(work.pid, 30) == [] for work in works)
    result = answer.summary()
    check_laws(result)
    assert len(result["processes"]) == 20
    for process in result["processes"]:
        if process["overhead"]["hits"]:
            probed(process)


# --- the budget -------------------------------------------------------------------------------


def test_no_budget_no_probes():
    with Workload("cycles", "--rate", 0, "--every", 50) as work:
        result = summary(work.pid, "-d", 0.5, "--max-overhead=0")
    check_laws(result)
    process = only_process(result)
    assert process["engine"] == "sched" and process["engine_changes"] == []
    assert "budget of 0" in process["engine_reason"]
    assert process["overhead"]["hits"] == 0 and process["windows"] == 0
    assert process["exact_s"] == 0
    assert process["gils"][0]["acquisitions"] is None
    assert process["basis"]["hold"]["kind"] == "absent"


@pytest.mark.parametrize("budget", ["0.1%", "50", "100"])
def test_budgets(budget):
    with Workload("cycles", "--rate", 0, "--every", 50) as work:
        result = summary(work.pid, "-d", 1, "--max-overhead=" + budget)
    check_laws(result)
    process = only_process(result)
    assert process["overhead"]["budget"] == pytest.approx(float(budget.strip("%")) / 100)
    if budget == "0.1%":
        assert process["engine"] == "sched"
        assert process["basis"]["hold"]["coverage_s"] < 0.5
    if budget == "100":
        assert process["engine"] == "uprobe" and process["engine_changes"] == []
    probed(process)


@pytest.mark.parametrize("garbage", ["", "-1", "101", "two", "nan", "2 %", "0x2", "1e1"])
def test_budgets_that_are_none(garbage):
    run("summary", "-p", 1, "--max-overhead=" + garbage).refused(USAGE, says=["is no budget"])


# --- rights -----------------------------------------------------------------------------------


def has_multi_link():
    checks = json.loads(run("doctor", "--json").stdout)["checks"]
    (found,) = [check["found"] for check in checks if check["name"] == "uprobes"]
    return found.startswith("all sites by one multi link")


@pytest.mark.parametrize("engine", ["auto", "uprobe"])
def test_probes_without_cap_sys_admin(engine):
    if not has_multi_link():
        pytest.skip("this kernel gives no multi link that works")
    rights = ["--bounding-set=-all,+bpf,+perfmon,+sys_ptrace", "--inh-caps=-all"]
    with Workload("spin") as work:
        with Gilwatch(
            *("summary", "-p", work.pid, "-d", 1, "--json", "--engine=" + engine),
            below=["setpriv", *rights],
        ) as gilwatch:
            result = gilwatch.finish().summary()
    check_laws(result)
    process = only_process(result)
    assert process["engine"] == "uprobe" and process["overhead"]["hits"] > 0
    probed(process)
