# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""list finds every Python by what it maps and nothing else; --comm and --cgroup select; picking."""

import contextlib
import json
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import time

import pytest
from harness import (
    GILWATCH,
    INTERPRETERS,
    NO_TARGET,
    REPOSITORY,
    SYSTEM_PYTHON,
    USAGE,
    command_of,
    is_free_threaded,
    not_json,
    run,
)
from laws import Draft202012Validator

NOBODY = 65534
SLEEP = "import sys, time; sys.stdout.write('x'); sys.stdout.flush(); time.sleep(600)"


def validator(name):
    schema = json.loads((REPOSITORY / "docs" / (name + ".schema.json")).read_text())
    return Draft202012Validator(schema)


def listing(**options):
    answer = run("list", "--json", **options)
    assert answer.status == 0, answer
    result = json.loads(answer.stdout, parse_constant=not_json)
    if Draft202012Validator:
        validator("list").validate(result)
    return result


def by_pid(result):
    return {process["pid"]: process for process in result["processes"]}


@contextlib.contextmanager
def sleepers(*commands):
    """Processes that have written a byte; they can read from a pipe that stays empty."""
    processes = []
    try:
        for command in commands:
            processes.append(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            )
        for process in processes:
            assert process.stdout.read(1), process.args
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
            process.stdin.close()
            process.stdout.close()


def python_sleeper(python):
    return [python, "-c", SLEEP]


# --- what is found, and what is not -----------------------------------------------------------


@pytest.mark.parametrize("name", sorted(INTERPRETERS))
def test_interpreters(name):
    command = command_of(INTERPRETERS[name])
    says = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
    said = subprocess.run([*command, "-c", says], capture_output=True, text=True).stdout.strip()
    with sleepers([*command, "-c", SLEEP]) as (pid,):
        process = by_pid(listing())[pid]
        with open("/proc/%d/maps" % pid) as maps:
            shared = "libpython" in maps.read()
    python = process["python"]
    assert python["implementation"] == "CPython"
    assert python["version"] == said
    assert python["free_threaded"] is is_free_threaded(name.replace("-gil", ""))
    assert python["gil_enabled"] is not is_free_threaded(name)
    assert python["shared"] == shared
    assert process["threads"] == 1
    assert process["uid"] == os.getuid()
    if is_free_threaded(name):
        assert process["can"] == {"sched": True, "uprobe": False}
        assert "off" in process["because"]["uprobe"]
    elif name in ("2.7", "3.6", "3.7"):
        assert process["can"] == {"sched": False, "uprobe": False}
        assert "older than what gilwatch reads" in process["because"]["sched"]
    else:
        assert process["can"] == {"sched": True, "uprobe": True}
        assert process["because"] == {"sched": None, "uprobe": None}


def test_names_do_not_matter(tmp_path):
    """A C program and a shell script called python are none; a Python called sleep is one."""
    source = tmp_path / "sleep.c"
    source.write_text(
        '#include <unistd.h>\nint main(void) { return write(1, "x", 1) != 1 || sleep(600); }\n'
    )
    fake = tmp_path / "python3"
    subprocess.run(["cc", "-o", fake, source], check=True)
    script = tmp_path / "python3.11"
    script.write_text("#!/bin/sh\nprintf x\nread line\n")
    script.chmod(0o755)
    hidden = tmp_path / "sleep"
    shutil.copy(SYSTEM_PYTHON, hidden)
    commands = [[fake], [script], python_sleeper(hidden)]
    with sleepers(*commands) as (compiled, shell, python):
        found = by_pid(listing())
    assert compiled not in found and shell not in found
    assert found[python]["comm"] == "sleep"
    assert found[python]["can"]["sched"] is True


NARROW = """
.globl _start, %(symbol)s, Py_Version
_start:
	mov $4, %%eax  # write
	mov $1, %%ebx
	mov $text, %%ecx
	mov $1, %%edx
	int $0x80
	mov $29, %%eax  # pause
	int $0x80
%(symbol)s:
text:	.ascii "x"
.data
.type Py_Version, @object
.size Py_Version, 4
Py_Version: .long 0x030b02f0
"""


def narrow(directory, name, symbol):
    """A program of 32 bits that defines a symbol, and a Py_Version."""
    (directory / "narrow.s").write_text(NARROW % {"symbol": symbol})
    subprocess.run(
        ["as", "--32", "-o", directory / "narrow.o", directory / "narrow.s"], check=True
    )
    link = ["ld", "-m", "elf_i386", "-o", directory / name, directory / "narrow.o"]
    subprocess.run(link, check=True)
    return [directory / name]


def test_narrow_python(tmp_path):
    """A Python of 32 bits is there, and the list says why it cannot be measured."""
    commands = narrow(tmp_path, "app", "PyEval_SaveThread"), narrow(tmp_path, "python3", "none")
    try:
        with sleepers(*commands) as (python, other):
            found = by_pid(listing())
            text = run("list").stdout
    except OSError as error:
        pytest.skip("this kernel runs no 32-bit programs: %s" % error)
    assert other not in found
    assert found[python]["python"]["version"] == "3.11.2"
    assert found[python]["can"] == {"sched": False, "uprobe": False}
    says = "is a 32-bit program with Python 3.11.2"
    assert says in found[python]["because"]["sched"] and says in " ".join(text.split())


def test_deleted_program(tmp_path):
    program = tmp_path / "gone"
    shutil.copy(SYSTEM_PYTHON, program)
    with sleepers(python_sleeper(program)) as (pid,):
        program.unlink()
        assert by_pid(listing())[pid]["can"] == {"sched": True, "uprobe": True}


def test_names_are_escaped():
    code = SLEEP + "  # \x1b[2J\n"
    with sleepers([SYSTEM_PYTHON, "-c", code]) as (pid,):
        text = run("list").stdout
        process = by_pid(listing())[pid]
    assert process["command"].endswith(code)
    (row,) = [line for line in text.splitlines() if line.split()[:1] == [str(pid)]]
    assert "\x1b" not in text and "\\x1b[2J\\x0a" in row


def test_cgroup_is_the_kernels():
    with sleepers(python_sleeper(SYSTEM_PYTHON)) as (pid,):
        process = by_pid(listing())[pid]
        lines = pathlib.Path("/proc/%d/cgroup" % pid).read_text().splitlines()
    assert process["cgroup"] in [line.split(":", 2)[2] for line in lines]


def test_without_rights():
    """Ours cannot be read by nobody: it is counted, and the way out is told."""
    with sleepers(python_sleeper(SYSTEM_PYTHON)) as (pid,):
        result = listing(user=NOBODY, group=NOBODY, extra_groups=[])
    assert pid not in by_pid(result)
    assert result["denied"]["count"] > 0
    assert "sudo" in result["denied"]["because"]


def test_own_process_without_rights():
    """What one owns is listed, with the right that is missing to measure it."""
    command = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    with sleepers([*command, *python_sleeper(SYSTEM_PYTHON)]) as (pid,):
        process = by_pid(listing(user=NOBODY, group=NOBODY, extra_groups=[]))[pid]
    assert process["uid"] == NOBODY
    assert process["python"]["version"]
    assert process["can"] == {"sched": False, "uprobe": False}
    assert "CAP_BPF" in process["because"]["sched"] or "CAP_SYS_PTRACE" in process["because"]["sched"]


def test_five_hundred_processes(capsys):
    """The time of a whole run; the bound is loose, for other work may be on this machine."""
    pythons = [INTERPRETERS[name] for name in ("system", "3.11", "3.12") if name in INTERPRETERS]
    commands = [python_sleeper(pythons[i % len(pythons)]) for i in range(50)]
    commands += [["sh", "-c", "echo x; exec sleep 600"]] * 450
    with sleepers(*commands) as pids:
        times = []
        for _ in range(5):
            start = time.monotonic()
            answer = run("list", "--json")
            times.append(time.monotonic() - start)
        found = by_pid(json.loads(answer.stdout))
    assert set(pids[:50]) <= set(found)
    assert not set(pids[50:]) & set(found)
    with capsys.disabled():
        print(
            "\nlist: 500 processes, 50 of them Python, %d builds: %.0f ms at best, %.0f ms at worst"
            % (len(pythons), min(times) * 1e3, max(times) * 1e3)
        )
    assert min(times) < 1


# --- selection --------------------------------------------------------------------------------


def selected(*options):
    answer = run("summary", *options, "-d", "0.3", "--json")
    assert answer.status == 0, answer
    return {process["pid"] for process in json.loads(answer.stdout)["processes"]}


@pytest.fixture
def named(tmp_path):
    """Two Pythons of a name that nothing else here has, and the name's beginning."""
    for name in ("gw-web-1", "gw-web-2"):
        shutil.copy(SYSTEM_PYTHON, tmp_path / name)
    with sleepers(
        python_sleeper(tmp_path / "gw-web-1"), python_sleeper(tmp_path / "gw-web-2")
    ) as pids:
        yield pids


def test_select_by_name(named):
    one, two = named
    assert selected("--comm", "gw-web-1") == {one}
    assert selected("--comm", "gw-web-*") == {one, two}
    assert selected("--comm", "gw-web-1", "--comm", "gw-web-2") == {one, two}
    assert selected("--comm", "gw-web-1", "-p", two) == {one, two}
    assert selected("--comm", "gw-web-1", "-p", one) == {one}


def test_select_nothing():
    run("summary", "--comm", "gw-no-such").refused(NO_TARGET, says=["--comm gw-no-such", "list"])
    run("summary", "-c", "/gw-no-such").refused(NO_TARGET, says=["--cgroup /gw-no-such"])
    run("summary", "-c", "gw-no-such").refused(USAGE, says=["is no cgroup"])


def test_select_no_python(tmp_path):
    program = tmp_path / "gw-sleep"
    shutil.copy(shutil.which("sh"), program)
    with sleepers([program, "-c", "echo x; read line"]):
        run("summary", "--comm", "gw-sleep").refused(NO_TARGET, says=["no Python process fits"])


def make_cgroup():
    """A new cgroup under the first hierarchy that lets us: (its directory, its path)."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        fields, kind = line.split(" - ")
        root, point = fields.split()[3:5]
        if not kind.startswith("cgroup") or root != "/":
            continue
        directory = pathlib.Path(point) / ("gilwatch-test-%d" % os.getpid())
        try:
            directory.mkdir()
            (directory / "inner").mkdir()
        except OSError:
            continue
        if (directory / "inner" / "cgroup.procs").exists() and "cpuset" not in kind:
            return directory, "/" + directory.name
        (directory / "inner").rmdir()
        directory.rmdir()
    return None, None


def test_select_by_cgroup(named):
    one, two = named
    directory, path = make_cgroup()
    if not directory:
        pytest.skip("no cgroup can be made here")
    try:
        (directory / "inner" / "cgroup.procs").write_text(str(one))
        assert selected("-c", path) == {one}
        assert selected("-c", path + "/inner/") == {one}
        assert selected("-c", directory) == {one}
        assert selected("--cgroup", directory / "inner", "--comm", "gw-web-2") == {one, two}
        run("summary", "-c", path + "/in").refused(NO_TARGET)
        process = by_pid(listing())[one]
        assert path + "/inner" in pathlib.Path("/proc/%d/cgroup" % one).read_text()
        assert process["cgroup"]
    finally:
        os.kill(one, signal.SIGKILL)  # a cgroup with a process in it cannot be removed
        remove_cgroup(directory)


def remove_cgroup(directory):
    for folder in (directory / "inner", directory):
        for _ in range(100):  # its last process may still be on its way out
            try:
                folder.rmdir()
                break
            except OSError:
                time.sleep(0.02)


# --- picking ----------------------------------------------------------------------------------


def on_terminal(answers):
    """What bare gilwatch prints on a terminal where these answers are typed, and its status."""
    pid, terminal = pty.fork()
    if not pid:
        try:
            os.execv(GILWATCH, [GILWATCH])
        finally:
            os._exit(127)
    said = b""
    try:
        while True:
            try:
                part = os.read(terminal, 4096)
            except OSError:
                break
            if not part:
                break
            said += part
            if answers and said.endswith(b": "):
                os.write(terminal, answers.pop(0).encode() + b"\n")
    finally:
        os.close(terminal)
    return said.decode(errors="replace"), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_pick_and_quit():
    with sleepers(python_sleeper(SYSTEM_PYTHON)) as (pid,):
        said, status = on_terminal(["nonsense", "q"])
    assert status == 0, said
    assert str(pid) in said and "none of the list" in said


def test_bare_without_terminal():
    answer = run()
    assert answer.status == USAGE and answer.stdout == ""
    assert answer.stderr.startswith("usage: gilwatch")
