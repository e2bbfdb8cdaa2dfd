# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A command that gilwatch runs: it is what it would be without, and all of it is seen."""

import contextlib
import json
import os
import pathlib
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time

import pytest
from harness import GILWATCH, SYSTEM_PYTHON, Gilwatch, only_process, run, verdict_codes
from laws import Findings, find_schema_errors, find_sum_laws

OWN_FAILURE, NOT_EXECUTABLE, NOT_FOUND = 125, 126, 127
NOBODY = pwd.getpwnam("nobody")
DEADLINE_S = 60


@pytest.fixture
def open_directory():
    """One that any user may use."""
    path = tempfile.mkdtemp(prefix="gilwatch-run-")
    os.chmod(path, 0o777)
    yield pathlib.Path(path)
    shutil.rmtree(path)


def environment(**changes):
    """Ours, without a trace of sudo."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SUDO_")}
    return {**kept, **changes}


def by_sudo(**changes):
    """As sudo leaves it when nobody calls it."""
    return environment(
        SUDO_UID=str(NOBODY.pw_uid), SUDO_GID=str(NOBODY.pw_gid), SUDO_USER="nobody", **changes
    )


def wait_for(condition, what):
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, "it never came: " + what
        time.sleep(0.01)


def state_of(pid):
    """The letter of /proc/PID/stat; "" if there is no such process."""
    with contextlib.suppress(OSError):
        return pathlib.Path("/proc/%d/stat" % pid).read_text().rpartition(")")[2].split()[0]
    return ""


def number_in(path):
    """A number that a command writes into a file, as soon as it stands there with its newline."""
    wait_for(lambda: path.exists() and path.read_text().endswith("\n"), "a line in %s" % path)
    return int(path.read_text().split()[0])


def saved(path):
    with open(path) as file:
        return json.load(file)


# --- how it ends ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script, status",
    [
        ("exit 0", 0),
        ("exit 3", 3),
        ("kill -TERM $$", 128 + signal.SIGTERM),
        ("ulimit -c 0; kill -SEGV $$", 128 + signal.SIGSEGV),
    ],
)
def test_status_of_the_command(script, status):
    answer = run("run", "--", "sh", "-c", script)
    assert answer.status == status, answer
    assert "too soon to be looked at" in " ".join(answer.stderr.split()), answer
    assert answer.stdout == ""


def test_what_cannot_be_run(open_directory):
    """Nothing is watched and nothing is run: one sentence each."""
    orphan = open_directory / "orphan"
    orphan.write_text("#!/no/such/interpreter\n")
    orphan.chmod(0o755)
    plain = open_directory / "plain"
    plain.write_text("exit 0\n")
    for command, status, says in (
        (["no-such-command"], NOT_FOUND, "not found"),
        (["/no/such/command"], NOT_FOUND, "no file"),
        ([str(plain)], NOT_EXECUTABLE, "cannot be executed"),
        ([str(open_directory)], NOT_EXECUTABLE, "directory"),
    ):
        answer = run("run", "--", *command, env=environment())
        assert answer.status == status, answer
        (line,) = answer.stderr.splitlines()
        assert line.startswith("gilwatch: ") and says in line, answer
    answer = run("run", "--", orphan, env=environment())
    assert answer.status == NOT_EXECUTABLE, answer
    assert "first line" in answer.stderr, answer


def test_wrong_usage():
    for arguments, says in (
        ([], "which command"),
        (["--"], "which command"),
        (["--no-such-option", "--", "true"], "--no-such-option"),
        (["-n", "none", "--", "true"], "rows"),
    ):
        answer = run("run", *arguments)
        assert answer.status == OWN_FAILURE, answer
        (line,) = answer.stderr.splitlines()
        assert line.startswith("gilwatch: ") and says in line, answer


def test_options_after_the_command_are_its_own():
    answer = run("run", "echo", "--json", "-o", "/no/such/directory/file")
    assert answer.status == 0, answer
    assert answer.stdout == "--json -o /no/such/directory/file\n"


def test_it_ends_with_the_command_and_not_with_what_that_leaves_behind(open_directory):
    """As time(1) does; the daemon goes on."""
    note = open_directory / "pid"
    answer = run("run", "--", "sh", "-c", "sleep 100 </dev/null >/dev/null 2>&1 & echo $! >%s" % note)
    assert answer.status == 0, answer
    daemon = number_in(note)
    assert state_of(daemon) not in ("", "Z")
    os.kill(daemon, signal.SIGKILL)


# --- as whom, with what -----------------------------------------------------------------------

WHO = "id -u; id -g; id -G; echo $HOME; echo $USER; echo $LOGNAME; echo $SHELL; echo $KEPT; pwd"


def test_it_runs_as_the_user_who_called_sudo(open_directory):
    answer = run(
        *("run", "--", "sh", "-c", WHO), env=by_sudo(KEPT="as it was"), cwd=open_directory
    )
    assert answer.status == 0, answer
    groups = " ".join(map(str, os.getgrouplist("nobody", NOBODY.pw_gid)))
    assert answer.stdout.splitlines() == [
        *(str(NOBODY.pw_uid), str(NOBODY.pw_gid), groups),
        *(NOBODY.pw_dir, "nobody", "nobody", NOBODY.pw_shell),
        *("as it was", str(open_directory)),
    ]
    assert "as nobody" in answer.stderr.splitlines()[0], answer


def test_it_runs_as_root_where_that_is_asked_for():
    answer = run(
        *("run", "--as-root", "--", "sh", "-c", "id -u; id -g; echo $HOME"), env=by_sudo(HOME="/root")
    )
    assert answer.stdout.split() == ["0", "0", "/root"], answer


def test_whoever_called_sudo_must_be_known():
    for changes in ({"SUDO_UID": "0x1"}, {"SUDO_UID": "4123456789"}, {"SUDO_GID": ""}):
        answer = run("run", "--", "true", env={**by_sudo(), **changes})
        assert answer.status == OWN_FAILURE, answer
        (line,) = answer.stderr.splitlines()
        assert "--as-root" in line, answer


def test_streams_descriptors_and_signals_are_as_received():
    """Nothing of gilwatch is left in the command's process."""
    script = (
        "import os, resource, signal, sys\n"
        "print(sys.stdin.read().upper(), end='')\n"
        "print(sorted(int(fd) for fd in os.listdir('/proc/self/fd'))[:-1])\n"
        "print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))\n"
        "print([resource.getrlimit(limit) for limit in range(16)], os.getpriority(0, 0))\n"
        "print(os.getpgrp(), os.getsid(0), os.sched_getaffinity(0))\n"
        "print([line for line in open('/proc/self/status') if line.startswith('SigIgn')])\n"
    )
    command = [SYSTEM_PYTHON, "-c", script]
    plain = subprocess.run(command, input="typed\n", capture_output=True, text=True)
    watched = subprocess.run(
        [GILWATCH, "run", "--", *command], input="typed\n", capture_output=True, text=True
    )
    assert watched.stdout == plain.stdout
    assert watched.stdout.startswith("TYPED\n")
    assert watched.returncode == 0, watched.stderr


def test_a_program_that_sudo_hides_is_told(open_directory):
    """As the python of a virtual environment, which is on the PATH of the user and not on sudo's."""
    for name in ("sh", "only-there"):
        program = open_directory / name
        program.write_text("#!/bin/sh\nexit 5\n")
        program.chmod(0o755)
    own = environment(PATH="%s:/usr/bin:/bin" % open_directory)
    sudo = "SUDO_UID=%d SUDO_GID=%d PATH=/usr/bin:/bin " % (NOBODY.pw_uid, NOBODY.pw_gid)
    for command, status in (("sh -c 'exit 0'", 0), ("only-there", NOT_FOUND)):
        answer = subprocess.run(
            ["/bin/sh", "-c", sudo + GILWATCH + " run -- %s; exit $?" % command],
            env=own,
            capture_output=True,
            text=True,
        )
        assert answer.returncode == status, answer
        assert str(open_directory / command.split()[0]) in answer.stderr, answer
    named = subprocess.run(
        ["/bin/sh", "-c", sudo + GILWATCH + " run -- %s; exit $?" % (open_directory / "sh")],
        env=own,
        capture_output=True,
        text=True,
    )
    assert named.returncode == 5, named
    assert "hides" not in named.stderr, named


# --- signals ----------------------------------------------------------------------------------

COUNTS = """
import os, signal, sys, time
got = []
def note(number):
    with open(sys.argv[1], "a") as file:
        print(number, file=file)
def count(number, frame):
    got.append(number)
    note(int(number))
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, count)
note(os.getpid())
while signal.SIGTERM not in got:
    time.sleep(0.01)
print(*map(int, got))
sys.exit(7)
"""


def test_signals_to_gilwatch_are_passed_on(open_directory):
    note = open_directory / "pid"
    with Gilwatch("run", "--", SYSTEM_PYTHON, "-c", COUNTS, note, process_group=0) as gilwatch:
        command = number_in(note)
        assert os.getpgid(command) == gilwatch.pid
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGINT, signal.SIGTERM):
            gilwatch.signal(number)
        answer = gilwatch.finish()
    assert answer.status == 7, answer
    assert sorted(answer.stdout.split()) == sorted("1 10 2 15".split()), answer


def test_a_job_stops_and_goes_on_as_one(open_directory):
    note = open_directory / "pid"
    with Gilwatch("run", "--", SYSTEM_PYTHON, "-c", COUNTS, note, process_group=0) as gilwatch:
        command = number_in(note)
        gilwatch.signal(signal.SIGTSTP)
        wait_for(lambda: state_of(command) == "T", "the command is stopped")
        wait_for(lambda: state_of(gilwatch.pid) == "T", "gilwatch is stopped")
        gilwatch.signal(signal.SIGCONT)
        wait_for(lambda: state_of(command) == "S", "the command goes on")
        gilwatch.signal(signal.SIGTERM)
        answer = gilwatch.finish()
    assert answer.status == 7, answer


def test_an_interrupt_of_the_terminal_reaches_the_command_once(open_directory):
    """The terminal sends it to both; gilwatch leaves it to the command."""
    note, result = open_directory / "pid", open_directory / "summary"
    master, terminal = os.openpty()
    with Gilwatch(
        *("run", "-o", result, "--", SYSTEM_PYTHON, "-c", COUNTS, note),
        start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(terminal), os.O_RDWR)),
    ) as gilwatch:
        command = number_in(note)
        assert os.tcgetpgrp(master) == gilwatch.pid
        os.write(master, b"\x03")
        wait_for(lambda: "2" in note.read_text().split()[1:], "an interrupt of the command")
        gilwatch.signal(signal.SIGTERM)
        answer = gilwatch.finish()
    os.close(master)
    os.close(terminal)
    assert answer.status == 7, answer
    assert answer.stdout.split() == ["2", "15"], answer
    assert "exit status 7" in result.read_text()


# --- what it says -----------------------------------------------------------------------------

CONTENDED = """
import os, threading, time
def spin():
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        pass
threads = [threading.Thread(target=spin) for _ in range(3)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_a_run_is_judged_by_what_it_did(open_directory):
    """All of the run is in the figures, from the first instruction, and its end is no remark."""
    result = open_directory / "summary.json"
    answer = run(
        *("run", "--json", "-o", result, "--", SYSTEM_PYTHON, "-c", CONTENDED), env=by_sudo()
    )
    assert answer.status == 0, answer
    summary = saved(result)
    process = only_process(summary)
    findings = Findings()
    find_schema_errors(findings, summary)
    find_sum_laws(findings, "command", process)
    ran = summary["run"]
    findings.true("pid of the run", ran["pid"] == process["pid"])
    findings.true("user of the run", ran["user"] == "nobody")
    findings.true("file of the run", os.path.samefile(ran["file"], SYSTEM_PYTHON))
    findings.true("how it ended", (ran["exit_status"], ran["signal"]) == (0, None))
    findings.true("Python", process["python"]["version"].startswith("3."))
    findings.at_least("before Python was known", ran["before_python_s"], 0)
    # The rest was seen: a second and a half of three threads that all want the GIL.
    findings.at_least("waiting for the GIL", process["states"]["gil_wait_s"], 0.3)
    findings.at_least("elapsed", process["elapsed_s"], 1.4)
    findings.at_most("elapsed", process["elapsed_s"], summary["elapsed_s"])
    # Which it is is up to what else the machine does; the end alone would be no verdict.
    findings.true("there is a verdict", verdict_codes(process))
    # What its threads did is known after their end.
    findings.true("four threads", len(process["threads"]) == 4)
    findings.true("none lives", not any(thread["alive"] for thread in process["threads"]))
    findings.true("none is folded", process["ended_threads"]["count"] == 0)
    for thread in process["threads"]:
        findings.near("its cells", thread["cells_s"], thread["wall_s"], 0.001)
        if thread["tid"] != process["pid"]:
            findings.at_least("how long a thread lived", thread["wall_s"], 1.0)
    findings.true("the end is told", "ended" not in verdict_codes(process))
    findings.report()
    assert summary["ended"] == "target_exit" and summary["requested_s"] is None
    kept = os.stat(result)
    assert (kept.st_uid, stat.S_IMODE(kept.st_mode)) == (NOBODY.pw_uid, 0o600)
    shown = run("show", result)
    assert "as nobody" in shown.stdout and shown.status == 0, shown


MANY = """
import threading
for _ in range(300):
    thread = threading.Thread(target=sum, args=(range(1000),))
    thread.start()
    thread.join()
"""


def test_of_very_many_threads_the_last_are_told_together(open_directory):
    result = open_directory / "summary.json"
    answer = run("run", "--json", "-o", result, "--", SYSTEM_PYTHON, "-c", MANY)
    assert answer.status == 0, answer
    process = only_process(saved(result))
    findings = Findings()
    find_schema_errors(findings, saved(result))
    find_sum_laws(findings, "command", process)
    tids = [thread["tid"] for thread in process["threads"]]
    findings.true("the main thread has a row", process["pid"] in tids)
    # Two that end at once may both be the last for which there is room.
    findings.true("%d rows" % len(tids), 257 <= len(tids) <= 260)
    findings.true("all are counted", len(tids) + process["ended_threads"]["count"] == 301)
    findings.near("cells", process["check"]["cells_s"], process["check"]["wall_s"], 0.001)
    findings.report()


POOL = """
import multiprocessing, time
def work(_):
    while time.process_time() < 0.8:
        pass
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.map(work, range(2), 1)
"""


def test_children_are_followed(open_directory):
    script, result = open_directory / "pool.py", open_directory / "summary.json"
    script.write_text(POOL)
    answer = run("run", "--json", "-o", result, "--", SYSTEM_PYTHON, script)
    assert answer.status == 0, answer
    summary = saved(result)
    command = only_process(summary)
    workers = [process for process in summary["processes"] if process["child"]]
    assert len(workers) == 2 and all(worker["ppid"] == command["pid"] for worker in workers)
    findings = Findings()
    find_schema_errors(findings, summary)
    for worker in workers:
        find_sum_laws(findings, "worker", worker)
        findings.at_least("a worker's python", worker["states"]["python_s"], 0.2)
        findings.true("its end is told", "ended" not in verdict_codes(worker))
    findings.report()


FORKS = """
import os, time
if not os.fork():
    time.sleep(1)
    os._exit(0)
os.wait()
"""


def test_children_can_be_left_out(open_directory):
    """What the command itself becomes is still the command."""
    script, result = open_directory / "forks.py", open_directory / "summary.json"
    script.write_text(FORKS)
    command = "exec %s %s" % (SYSTEM_PYTHON, script)
    answer = run("run", "--no-children", "--json", "-o", result, "--", "sh", "-c", command)
    assert answer.status == 0, answer
    summary = saved(result)
    process = only_process(summary)
    assert len(summary["processes"]) == 1 and process["python"]["version"], summary
    assert process["pid"] == summary["run"]["pid"] and summary["other_children"] == 0, summary
    findings = Findings()
    find_schema_errors(findings, summary)
    find_sum_laws(findings, "command", process)
    findings.report()


def test_a_command_that_becomes_python_is_one_row():
    """As a shell script that ends in exec: what was before is in the row as well."""
    script = "exec %s -c 'import time; time.sleep(0.4)'" % SYSTEM_PYTHON
    answer = run("run", "--json", "-o", "-", "--", "sh", "-c", script)
    process = only_process(answer.summary())
    assert process["python"]["version"] and process["where"]["sleep_s"] > 0.35, answer


def test_what_a_shell_forked_before_it_became_python_is_no_copy_of_it():
    script = "(sleep 0.3; :) & exec %s -c 'import time; time.sleep(0.6)'" % SYSTEM_PYTHON
    summary = run("run", "--json", "-o", "-", "--", "sh", "-c", script).summary()
    assert only_process(summary)["python"]["version"], summary
    assert len(summary["processes"]) == 1 and summary["other_children"] >= 1, summary


def test_a_command_that_is_no_python():
    answer = run("run", "--json", "-o", "-", "--", "sleep", "0.4")
    process = only_process(answer.summary())
    assert process["python"]["version"] is None
    assert process["where"]["sleep_s"] > 0.35
    assert answer.summary()["run"]["before_python_s"] is None


def test_an_output_that_cannot_be_written_is_told_before_anything_runs(open_directory):
    marker, link = open_directory / "marker", open_directory / "link"
    link.symlink_to(open_directory / "elsewhere")
    for path in (link, open_directory / "none" / "file"):
        answer = run("run", "-o", path, "--", "touch", marker)
        assert answer.status == OWN_FAILURE, answer
        (line,) = answer.stderr.splitlines()
        assert str(path) in line, answer
    assert not marker.exists() and not (open_directory / "elsewhere").exists()
    # With a status of its own, the command's is passed on though the summary is lost.
    full = run("run", "-o", "/dev/full", "--", "sh", "-c", "exit 3")
    assert full.status == 3 and "/dev/full" in full.stderr, full
    full = run("run", "-o", "/dev/full", "--", "sh", "-c", "exit 0")
    assert full.status == OWN_FAILURE, full
