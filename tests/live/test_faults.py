# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Bad input, targets that are none or end, signals, full disks: one clear line, nothing left behind."""

import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time

import pytest
from harness import (
    GILWATCH,
    INTERPRETERS,
    KERNEL,
    NO_TARGET,
    NOTHING_SEEN,
    RIGHTS,
    SOME_FAILED,
    SYSTEM_PYTHON,
    USAGE,
    Answer,
    Gilwatch,
    Workload,
    at,
    changed_text,
    only_process,
    other_process,
    run,
    thread,
    verdict_codes,
    wait_for_clean_text,
    window,
)
from laws import Findings, check_laws, find_laws
from measure import BOTH, watch

NOBODY = 65534


@pytest.fixture
def spinner():
    with Workload("spin") as work:
        yield work


def summary(pid, *args, **options):
    return run("summary", "-p", pid, "--json", *args, **options)


# --- targets that are none --------------------------------------------------------------------


def dead_pid():
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_no_such_process():
    pid = dead_pid()
    summary(pid, "-d", 1).refused(NO_TARGET, says=[str(pid)])


def test_not_python():
    with other_process("sleep", "60") as process:
        summary(process.pid, "-d", 1).refused(NO_TARGET, says=[str(process.pid), "Python"])


def test_kernel_thread():
    with open("/proc/2/comm") as comm:
        if comm.read().strip() != "kthreadd":
            pytest.skip("no kernel threads can be seen from this PID namespace")
    summary(2, "-d", 1).refused(NO_TARGET, says=["kernel thread"])


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.7"])
def test_python_too_old(version):
    """It is named; its threads are measured as far as the scheduler goes, and no GIL is made up."""
    if version not in INTERPRETERS:
        pytest.skip("no Python %s" % version)
    code = "import sys, time; sys.stdout.write('x'); sys.stdout.flush(); time.sleep(60)"
    process = subprocess.Popen([INTERPRETERS[version], "-c", code], stdout=subprocess.PIPE)
    try:
        process.stdout.read(1)
        answer = summary(process.pid, "-d", 1)
    finally:
        process.kill()
        process.communicate()
    seen = only_process(answer.summary())
    assert seen["engine"] == "none", answer
    assert version in seen["engine_reason"], answer
    assert verdict_codes(seen)[0] == "cannot_measure", answer
    assert version in seen["verdicts"][0]["text"], answer
    for state in ("python_s", "native_s", "gil_wait_s", "held_off_s"):
        assert seen["states"][state] is None, answer
    assert seen["where"]["sleep_s"] > 0.95, answer


@pytest.mark.skipif(not shutil.which("pypy3"), reason="no pypy3")
def test_pypy():
    """It is named, and its threads are measured as far as the scheduler goes."""
    code = "import sys, time; sys.stdout.write('x'); sys.stdout.flush(); time.sleep(60)"
    process = subprocess.Popen(["pypy3", "-c", code], stdout=subprocess.PIPE)
    try:
        process.stdout.read(1)
        answer = summary(process.pid, "-d", 1)
    finally:
        process.kill()
        process.communicate()
    seen = only_process(answer.summary())
    assert seen["engine"] == "none" and "PyPy" in seen["engine_reason"], answer
    assert verdict_codes(seen)[0] == "cannot_measure", answer
    assert seen["python"]["version"] is None, answer
    assert seen["states"]["gil_wait_s"] is None, answer
    assert seen["where"]["sleep_s"] > 0.9, answer


def test_kernel_without_btf(spinner):
    # In a mount namespace of its own the kernel's description of its types is not to be found.
    answer = run_command(
        ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /sys/kernel/btf && exec "$@"', "sh"]
        + [GILWATCH, "summary", "-p", str(spinner.pid), "-d", "1"]
    )
    answer.refused(KERNEL, says=["CONFIG_DEBUG_INFO_BTF"])


def test_good_and_bad_targets(spinner):
    missing = dead_pid()
    with other_process("sleep", "60") as stranger:
        pids = [spinner.pid, missing, stranger.pid]
        answer = summary(",".join(map(str, pids)), "-d", 1.5)
    assert answer.status == SOME_FAILED, answer
    lines = answer.stderr.strip().splitlines()
    assert len(lines) == 2, answer
    assert any(str(missing) in line for line in lines), answer
    assert any(str(stranger.pid) in line for line in lines), answer
    answer.status = 0
    result = answer.summary()
    check_laws(result)
    errors = {process["pid"]: process["error"] for process in result["processes"]}
    assert set(errors) == set(pids)
    assert errors[spinner.pid] is None
    assert errors[missing] and errors[stranger.pid]


def test_several_good_targets(spinner):
    with Workload("sleep") as sleeper:
        result = summary("%d,%d" % (spinner.pid, sleeper.pid), "-d", 1.5).summary()
    check_laws(result)
    assert [process["pid"] for process in result["processes"]] == [spinner.pid, sleeper.pid]
    assert [process["error"] for process in result["processes"]] == [None, None]


def test_another_pid_and_mount_namespace():
    prefix = ["unshare", "--fork", "--kill-child", "--pid", "--mount-proc"]
    with Workload("spin", prefix=prefix) as work:
        # It knows its PID in its own namespace only; ours is that of the child of unshare.
        outer = work.process.pid
        with open("/proc/%d/task/%d/children" % (outer, outer)) as children:
            pid = int(children.read())
        answer = summary(pid, "-d", 1.5)
        if answer.status == 0:
            check_laws(answer.summary())
            assert only_process(answer.summary())["pid"] == pid
        else:
            answer.refused(NO_TARGET)


# --- usage ------------------------------------------------------------------------------------

BAD_DURATIONS = "0 0s 0ms -1 -1s garbage 10x 1.5.2 nan inf 1e30 99999999999h s".split() + ["", " "]


@pytest.mark.parametrize("duration", BAD_DURATIONS)
def test_bad_duration(duration):
    summary(os.getpid(), "-d", duration).refused(USAGE)


@pytest.mark.parametrize("duration", ["300ms", "0.3", "0.3s", "0.005m"])
def test_good_duration(spinner, duration):
    result = summary(spinner.pid, "-d", duration).summary()
    assert result["requested_s"] == pytest.approx(0.3)
    assert result["elapsed_s"] == pytest.approx(0.3, abs=0.1)
    assert result["ended"] == "duration"


@pytest.mark.parametrize(
    "args",
    [
        ["summary"],
        ["summary", "-d", "1"],
        ["summary", "-p", "x", "-d", "1"],
        ["summary", "-p", "0", "-d", "1"],
        ["summary", "-p", "-1", "-d", "1"],
        ["summary", "-p", "1,,2", "-d", "1"],
        ["summary", "-p", "", "-d", "1"],
        ["summary", "-p", "99999999999999999999", "-d", "1"],
        ["summary", "-p", "1", "-d", "1", "--engine=magic"],
        ["summary", "-p", "1", "-d", "1", "-n", "-3"],
        ["summary", "-p", "1", "-d", "1", "-n", "x"],
        ["summary", "-p", "1", "-d", "1", "--no-such-option"],
        ["no-such-command"],
        ["show"],
    ],
    ids=" ".join,
)
def test_bad_usage(args):
    run(*args).refused(USAGE)


@pytest.mark.parametrize("args", [["--help"], ["summary", "--help"], ["show", "--help"]], ids=" ".join)
def test_help(args):
    answer = run(*args)
    assert answer.status == 0 and "gilwatch" in answer.stdout and not answer.stderr, answer


def test_version():
    answer = run("--version")
    assert answer.status == 0 and len(answer.stdout.splitlines()) == 1, answer


# --- rights -----------------------------------------------------------------------------------


@pytest.fixture
def public_gilwatch():
    """A copy that everybody may run, wherever the build is."""
    directory = tempfile.mkdtemp(prefix="gilwatch-live-", dir="/tmp")
    os.chmod(directory, 0o755)
    copy = shutil.copy(GILWATCH, directory)
    os.chmod(copy, 0o755)
    yield copy
    shutil.rmtree(directory)


def run_with(rights, gilwatch, pid, *args):
    """Run gilwatch below setpriv."""
    command = ["setpriv", *rights, gilwatch, "summary", "-p", str(pid), "--json", *args]
    return run_command(command)


def run_command(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, **options)
    return Answer(command, done.returncode, done.stdout, done.stderr)


AS_NOBODY = ["--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups"]


def test_not_root(spinner, public_gilwatch):
    answer = run_with(AS_NOBODY, public_gilwatch, spinner.pid, "-d", "1")
    answer.refused(RIGHTS, says=["CAP_"])


@pytest.mark.parametrize(
    "dropped, named",
    [
        (["bpf", "sys_admin"], "CAP_BPF"),
        (["perfmon", "sys_admin"], "CAP_PERFMON"),
        (["sys_ptrace"], "CAP_SYS_PTRACE"),
    ],
    ids=["bpf", "perfmon", "sys_ptrace"],
)
def test_root_without_a_capability(spinner, dropped, named):
    rights = ["--bounding-set=" + ",".join("-" + name for name in dropped)]
    rights.append("--inh-caps=-all")
    run_with(rights, GILWATCH, spinner.pid, "-d", "1").refused(RIGHTS, says=[named])


def test_sched_needs_three_capabilities(spinner):
    rights = ["--bounding-set=-all,+bpf,+perfmon,+sys_ptrace", "--inh-caps=-all"]
    answer = run_with(rights, GILWATCH, spinner.pid, "-d", "1", "--engine=sched")
    check_laws(answer.summary())


# --- targets that end -------------------------------------------------------------------------


def end_in_peace(work):
    work.process.stdin.close()


def kill_it(work):
    work.signal(signal.SIGKILL)


def crash(work):
    work.signal(signal.SIGSEGV)


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("end", [end_in_peace, kill_it, crash], ids=lambda end: end.__name__)
def test_target_ends_while_watched(end, engine):
    with Workload("spin") as work:
        with Gilwatch(
            *("summary", "-p", work.pid, "-d", 20, "--json", "--engine=" + engine), terminal=True
        ) as gilwatch:
            gilwatch.wait_until_watching()
            time.sleep(0.7)
            end(work)
            ended = time.monotonic_ns()
            result = gilwatch.finish(10).summary()
    check_laws(result)
    assert result["ended"] == "target_exit"
    process = only_process(result)
    assert process["ended"] == "target_exit"
    assert result["elapsed_s"] < 5
    assert process["states"]["python_s"] > 0.5
    # Its threads were under watch until they ended, no longer.
    start_ns, _ = window(result)
    threads = 3
    seen_s = process["threads_wall_s"] / threads
    assert seen_s == pytest.approx((ended - start_ns) / 1e9, abs=0.2)


@pytest.mark.parametrize("engine", BOTH)
def test_target_execs_while_watched(engine):
    with Workload("exec_") as work:
        with Gilwatch(
            *("summary", "-p", work.pid, "-d", 20, "--json", "--engine=" + engine),
            "--no-children",
            terminal=True,
        ) as gilwatch:
            gilwatch.wait_until_watching()
            time.sleep(0.7)
            work.process.stdin.close()
            result = gilwatch.finish(10).summary()
        check_laws(result)
        assert result["ended"] == "target_exec"
        assert only_process(result)["ended"] == "target_exec"
        assert only_process(result)["states"]["python_s"] > 0.5
        assert work.process.poll() is None, "the target did not survive"


def test_target_ends_while_it_is_attached():
    for step in range(24):
        engine = BOTH[step % 2]
        with Workload("spin") as work:
            with Gilwatch(
                "summary", "-p", work.pid, "-d", 3, "--json", "--engine=" + engine
            ) as gilwatch:
                time.sleep(step * 0.010)
                work.kill()
                answer = gilwatch.finish(20)
        if answer.status:
            answer.refused(NO_TARGET, NOTHING_SEEN)
        else:
            result = answer.summary()
            assert result["ended"] == "target_exit", answer
            if result["elapsed_s"] > 0.2:
                check_laws(result)


def test_one_of_two_targets_ends(spinner):
    with Workload("spin") as other:
        with Gilwatch(
            "summary", "-p", "%d,%d" % (spinner.pid, other.pid), "-d", 3, "--json", terminal=True
        ) as gilwatch:
            gilwatch.wait_until_watching()
            time.sleep(0.7)
            other.kill()
            result = gilwatch.finish().summary()
    check_laws(result)
    assert result["ended"] == "duration"
    assert [process["ended"] for process in result["processes"]] == ["duration", "target_exit"]


# --- a target that is stopped -----------------------------------------------------------------


def states_of_tasks(pid):
    for tid in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/stat" % (pid, tid)) as file:
            yield file.read().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("engine", BOTH)
def test_target_is_stopped_by_a_signal(spinner, engine):
    with Gilwatch(
        *("summary", "-p", spinner.pid, "-d", 3, "--json", "--engine=" + engine), terminal=True
    ) as gilwatch:
        gilwatch.wait_until_watching()
        time.sleep(0.5)
        spinner.signal(signal.SIGSTOP)
        while set(states_of_tasks(spinner.pid)) != {"T"}:
            time.sleep(0.001)
        stopped = time.monotonic()
        time.sleep(1)
        stopped_s = time.monotonic() - stopped
        spinner.signal(signal.SIGCONT)
        result = gilwatch.finish().summary()
    findings = Findings()
    find_laws(findings, result)
    for name, tid in spinner.tids.items():
        where = thread(only_process(result), tid)["where"]
        findings.near("%s of %s: stopped" % (name, where), where["stopped_s"], stopped_s, 0.01, 0.02)
    findings.report()


# --- others on the same target ----------------------------------------------------------------


def acquisitions_are_true(result, work, truth):
    """The thread's own count, in a summary by probes."""
    log = truth["cycles"]["cycler0"]
    start_ns, end_ns = window(result)
    count = at(log, end_ns) - at(log, start_ns)
    gil = thread(only_process(result), work.tids["cycler0"])["gil"]
    assert gil["acquisitions"] == pytest.approx(count, rel=0.001)


def test_second_gilwatch_with_probes():
    with Workload("cycles", "--rate", 4000) as work:
        args = ["summary", "-p", work.pid, "--json", "--engine=uprobe", "-d"]
        with Gilwatch(*args, 4, terminal=True) as first:
            first.wait_until_watching()
            second = run(*args, 1).summary()
            first = first.finish().summary()
        assert wait_for_clean_text(work.pid) == []
        truth = work.finish()
    for result in (first, second):
        check_laws(result)
        acquisitions_are_true(result, work, truth)


def test_many_gilwatches_see_all_threads():
    with Workload("idle", "--threads", 20) as work:
        for _ in range(4):
            command = ["summary", "-p", work.pid, "-d", "100ms", "--json"]
            begin = time.monotonic_ns() + 1500000000
            runs = [Gilwatch(*command, "--begin-at", begin) for _ in range(4)]
            for result in [run.finish().summary() for run in runs]:
                seen = {thread["tid"] for thread in only_process(result)["threads"]}
                assert seen == set(work.tids.values())
                check_laws(result)


def test_bpftrace_on_the_same_target():
    if not shutil.which("bpftrace"):
        pytest.skip("no bpftrace")
    program = (
        "uprobe:%s:PyEval_SaveThread { @saves = count(); }"
        " tracepoint:sched:sched_switch { @switches = count(); }" % os.path.realpath(SYSTEM_PYTHON)
    )
    with Workload("cycles", "--rate", 4000) as work:
        command = ["bpftrace", "-p", str(work.pid), "-e", program]
        tracer = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            while not changed_text(work.pid):
                assert tracer.poll() is None
                time.sleep(0.02)
            measured = watch(work, 3)
            tracer.send_signal(signal.SIGINT)
            said, _ = tracer.communicate(timeout=30)
        finally:
            tracer.kill()
            tracer.communicate()
        assert tracer.returncode == 0 and b"@saves" in said, said
        assert wait_for_clean_text(work.pid) == []
        truth = work.finish()
    measured.findings.report()
    acquisitions_are_true(measured.summaries["uprobe"], work, truth)


# --- probes that go ---------------------------------------------------------------------------


@pytest.mark.parametrize("python", sorted(set(INTERPRETERS) & {"system", "3.11", "3.12", "3.13"}))
def test_killed_gilwatch_leaves_no_breakpoint(python):
    with Workload("cycles", "--rate", 4000, python=INTERPRETERS[python]) as work:
        with Gilwatch(
            "summary", "-p", work.pid, "-d", 30, "--engine=uprobe", terminal=True
        ) as gilwatch:
            gilwatch.wait_until_watching()
            assert changed_text(work.pid), "no breakpoint can be seen while it watches"
            gilwatch.signal(signal.SIGKILL)
            killed_ns = time.monotonic_ns()
            assert wait_for_clean_text(work.pid, 5) == []
            gilwatch.finish()
        clean_ns = time.monotonic_ns()
        time.sleep(0.2)
        truth = work.finish()
    assert work.process.returncode == 0
    log = truth["cycles"]["cycler0"]
    assert clean_ns - killed_ns < 5e9
    assert at(log, clean_ns + 100e6) > at(log, killed_ns), "the target does not go on"


def test_no_breakpoint_after_a_normal_end():
    with Workload("cycles", "--rate", 4000) as work:
        check_laws(summary(work.pid, "-d", 1, "--engine=uprobe").summary())
        assert changed_text(work.pid) == []
        work.finish()
    assert work.process.returncode == 0


def test_forked_child_is_left_clean_and_not_counted():
    with Workload("child") as work:
        check_laws(summary(work.pid, "-d", 2, "--engine=uprobe").summary())
        assert changed_text(work.pid) == []


def test_probes_that_are_asked_for_stay():
    with Workload("cycles", "--rate", 0, "--every", 50) as work:
        result = summary(work.pid, "-d", 2, "--engine=uprobe").summary()
        truth = work.finish()
    check_laws(result)
    process = only_process(result)
    assert process["engine"] == "uprobe" and process["engine_changes"] == []
    assert process["overhead"]["hits"] > 20000 * 2
    acquisitions_are_true(result, work, truth)


# --- signals ----------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("duration", [["-d", 30], []], ids=["duration", "endless"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda s: s.name)
def test_signal_ends_it_with_a_summary(spinner, number, duration, engine):
    with Gilwatch(
        *("summary", "-p", spinner.pid, *duration, "--json", "--engine=" + engine), terminal=True
    ) as gilwatch:
        gilwatch.wait_until_watching()
        time.sleep(1)
        gilwatch.signal(number)
        result = gilwatch.finish(10).summary()
    check_laws(result)
    assert result["ended"] == "interrupted"
    assert 0.9 < result["elapsed_s"] < 5
    assert changed_text(spinner.pid) == []


def test_signal_before_it_watches(spinner):
    for step in range(10):
        with Gilwatch("summary", "-p", spinner.pid, "-d", 20, "--json") as gilwatch:
            time.sleep(0.020 * step)
            gilwatch.signal(signal.SIGINT)
            answer = gilwatch.finish(10)
        if answer.status == 0:
            assert answer.summary()["ended"] == "interrupted"
        elif answer.status != -signal.SIGINT:  # it came before main() did
            answer.refused(NOTHING_SEEN)
    assert changed_text(spinner.pid) == []


# --- output -----------------------------------------------------------------------------------


@pytest.fixture
def directory():
    with tempfile.TemporaryDirectory(prefix="gilwatch-live-") as name:
        yield name


def failed_with_one_line(answer):
    assert answer.status > 0, answer
    assert len(answer.stderr.strip().splitlines()) == 1, answer
    assert "gilwatch" in answer.stderr, answer


@pytest.mark.parametrize("form", [["--json"], []], ids=["json", "text"])
def test_stdout_on_a_full_disk(spinner, form):
    with open("/dev/full", "w") as full:
        answer = run("summary", "-p", spinner.pid, "-d", 0.3, *form, stdout=full)
    failed_with_one_line(answer)


@pytest.mark.parametrize("form", [["--json"], []], ids=["json", "text"])
def test_stdout_is_a_closed_pipe(spinner, form):
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        answer = run(
            "summary", "-p", spinner.pid, "-d", 0.3, "--engine=uprobe", *form, stdout=write_end
        )
    finally:
        os.close(write_end)
    assert answer.status != 0, answer
    assert len(answer.stderr.strip().splitlines()) <= 1, answer
    assert changed_text(spinner.pid) == []


def test_output_file_on_a_full_disk(spinner, directory):
    # A mount of its own, in a namespace of its own, which goes when gilwatch ends.
    script = 'mount -t tmpfs -o size=4k none "$1" && head -c 4096 /dev/zero > "$1/filler"; shift; exec "$@"'
    answer = run_command(
        ["unshare", "--mount", "sh", "-c", script, "sh", directory, GILWATCH]
        + ["summary", "-p", str(spinner.pid), "-d", "0.3", "--json", "-o", directory + "/out"]
    )
    failed_with_one_line(answer)


def test_output_file_in_no_directory(spinner, directory):
    answer = summary(spinner.pid, "-d", 0.3, "-o", directory + "/none/out")
    failed_with_one_line(answer)


def test_output_never_follows_a_link(spinner, directory):
    target, link = directory + "/target", directory + "/link"
    with open(target, "w") as file:
        file.write("precious")
    os.symlink(target, link)
    failed_with_one_line(summary(spinner.pid, "-d", 0.3, "-o", link))
    with open(target) as file:
        assert file.read() == "precious"
    os.unlink(target)
    failed_with_one_line(summary(spinner.pid, "-d", 0.3, "-o", link))
    assert not os.path.exists(target)


def test_output_file_belongs_to_the_user_of_sudo(spinner, directory):
    path = directory + "/out"
    environment = dict(os.environ, SUDO_UID="12345", SUDO_GID="12346")
    answer = summary(spinner.pid, "-d", 0.3, "-o", path, env=environment)
    assert answer.status == 0, answer
    info = os.stat(path)
    assert stat.S_IMODE(info.st_mode) == 0o600
    assert (info.st_uid, info.st_gid) == (12345, 12346)
    shown = run("show", path)
    assert shown.status == 0 and str(spinner.pid) in shown.stdout, shown


def test_show_of_what_is_no_summary(directory):
    for content in (b"", b"{", b"[]", b"{}", b"\xff\x00", b'{"schema": "gilwatch.summary.v9"}'):
        path = directory + "/bad"
        with open(path, "wb") as file:
            file.write(content)
        failed_with_one_line(run("show", path))
    failed_with_one_line(run("show", directory + "/none"))
