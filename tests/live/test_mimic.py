# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Programs that pretend to be a Python, or rewrite themselves while they are read."""

import contextlib
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import time

import pytest
from harness import (
    GILWATCH,
    NO_TARGET,
    SYSTEM_PYTHON,
    run,
    wait_for_clean_text,
)
from test_list import python_sleeper, sleepers

SOURCE = pathlib.Path(__file__).with_name("mimic.c")
PEAK_KIB = 256 << 10
LIMIT_S = 30  # of time: this machine may be busy; of CPU time, which is what counts, CPU_S
CPU_S = 3


@pytest.fixture(scope="module")
def mimic(tmp_path_factory):
    program = tmp_path_factory.mktemp("mimic") / "mimic"
    subprocess.run(
        ["cc", "-O2", "-rdynamic", "-pthread", "-o", program, SOURCE], check=True
    )
    return program


@contextlib.contextmanager
def running(program, *arguments):
    process = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
        assert process.poll() is None, "it ended while it was looked at"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


# A program's peak of memory counts what its process was before it: here that is no large pytest.
LAUNCHER = """
import json, os, sys
report = int(sys.argv[1])
os.set_inheritable(report, False)
child = os.spawnv(os.P_NOWAIT, sys.argv[2], sys.argv[2:])
_, status, used = os.wait4(child, 0)
cpu_s = used.ru_utime + used.ru_stime
os.write(report, json.dumps([os.waitstatus_to_exitcode(status), cpu_s, used.ru_maxrss]).encode())
"""


def gilwatch(*arguments):
    """Status, stdout and stderr of a gilwatch that stays within its bounds."""
    command = [GILWATCH, *[str(argument) for argument in arguments]]
    report, to = os.pipe()
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", LAUNCHER, str(to), *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=[to],
    )
    took_s = time.monotonic() - began
    os.close(to)
    with open(report) as stream:
        status, cpu_s, peak_kib = json.load(stream)
    said = "%s: %.2f s, %.2f s of CPU, %d KiB\n%s" % (command, took_s, cpu_s, peak_kib, done.stderr)
    assert took_s < LIMIT_S and cpu_s < CPU_S and peak_kib < PEAK_KIB, said
    assert status >= 0, said
    return status, done.stdout.decode(), done.stderr.decode()


def summary(pid, *options, seconds=0.5):
    status, out, err = gilwatch(
        "summary", "-p", pid, "-d", seconds, "--engine=sched", "--json", *options
    )
    assert status == 0, err
    (process,) = json.loads(out)["processes"]
    return process


def assert_not_believed(process):
    assert process["engine"] == "none"
    assert process["basis"]["gil_wait_s"]["kind"] == "absent"
    assert process["states"]["gil_wait_s"] is None
    assert process["engine_reason"].isprintable()


def test_waiters_in_the_gil(mimic):
    """It looks like one in every respect, and so it is believed: the waiters wait for the GIL."""
    with running(mimic, "true") as pid:
        process = summary(pid)
    assert process["python"]["version"] == "3.11.2"
    assert process["engine"] == "sched"
    waiting = [thread for thread in process["threads"] if thread["where"]["gil_s"] > 0.4]
    assert len(waiting) == 2


def test_waiters_beside_the_gil(mimic):
    with running(mimic, "beside") as pid:
        process = summary(pid)
        listed = {row["pid"]: row for row in json.loads(gilwatch("list", "--json")[1])["processes"]}
    assert_not_believed(process)
    assert "wait beside what should be the GIL" in process["engine_reason"]
    assert "wait beside" in listed[pid]["because"]["sched"]
    assert process["where"]["lock_s"] > 0.4 * 2  # what they wait on is a lock, and no more


@pytest.mark.parametrize("what", ("scribble", "vanish"))
def test_runtime_that_changes(mimic, what):
    """Either answer is right, as long as it is a whole one; and the cells sum to the wall."""
    with running(mimic, what) as pid:
        for _ in range(3):
            process = summary(pid)
            check = process["check"]
            assert abs(check["cells_s"] - check["wall_s"]) < 1e-6
            if process["engine"] == "none":
                assert_not_believed(process)
        status, out, _ = gilwatch("list", "--json")
        assert status == 0
        assert pid in [row["pid"] for row in json.loads(out)["processes"]]


def test_mappings_that_change(mimic, tmp_path):
    """A real library that comes and goes; the program itself is the one that has a runtime."""
    name = tmp_path / "libpython3.11\n\033[2J.so.1.0"
    name.write_bytes(pathlib.Path("/usr/bin/python3").resolve().read_bytes())
    with running(mimic, "remap", name) as pid:
        for _ in range(3):
            process = summary(pid)
            assert process["engine"] in ("sched", "none")
        status, out, err = gilwatch("list")
        assert status == 0 and "\033" not in out + err
        assert [line for line in out.splitlines() if line.split()[:1] == [str(pid)]]


def test_sparse_library(mimic, tmp_path):
    library = tmp_path / "libpython3.11.so.1.0"
    with open(library, "wb") as file:
        file.write(b"\x7fELF\x02\x01\x01")
        file.truncate(64 << 30)
    with running(mimic, "map", library) as pid:
        assert summary(pid)["engine"] == "sched"


def write_slow_library(path):
    """An old libpython by its one symbol, with 64 MiB of nothing to be looked through for a version."""
    names = b"\0PyEval_SaveThread\0.rodata\0"
    symbol = struct.pack("<IBBHQQ", 1, 0x12, 0, 3, 4096, 16)  # a function in section 3
    sections = (
        (0, 0, 0, 0, 0, 0),
        (0, 3, 1024, len(names), 0, 0),  # SHT_STRTAB
        (0, 11, 2048, 2 * len(symbol), 1, len(symbol)),  # SHT_DYNSYM, with that
        (names.index(b".rodata"), 1, 8192, SLOW_BYTES, 0, 0),  # SHT_PROGBITS
    )
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header += struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 4096, 0, 64, 56, 1, 64, len(sections), 1)
    header += struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 4096, 4096, 4096)  # PT_LOAD
    with open(path, "wb") as file:
        for place, content in ((0, header), (1024, names), (2048 + len(symbol), symbol)):
            file.seek(place)
            file.write(content)
        file.seek(4096)
        for name, kind, offset, size, link, entry in sections:
            file.write(struct.pack("<IIQQQQIIQQ", name, kind, 2, 0, offset, size, link, 0, 1, entry))
        file.truncate(8192 + SLOW_BYTES)


SLOW_BYTES = 64 << 20
SLOW_FILES = 120


def test_slow_libraries(mimic, tmp_path):
    """Files that each take a while to be read: all of them together get a second of CPU time. What
    was read until then is of use; what was not is no less read for another process."""
    files = [tmp_path / ("libpython3.7.so.%d" % number) for number in range(SLOW_FILES)]
    for file in files:
        write_slow_library(file)
    last = shutil.copy(SYSTEM_PYTHON, tmp_path / "another")  # by its address, which is the highest
    with running(mimic, "map", last, *files) as pid, sleepers(python_sleeper(last)) as (other,):
        assert summary(pid)["python"]["version"] == "3.11.2"
        answer = run("list", "--json")
        assert answer.status == 0, answer
        listed = {row["pid"]: row for row in json.loads(answer.stdout)["processes"]}
        assert listed[pid]["python"]["version"] == "3.11.2"
        assert listed[other]["can"]["sched"] is True


def test_many_libraries(mimic, tmp_path):
    """Three thousand files that are named as a Python and are none."""
    with running(mimic, "many", tmp_path) as pid:
        assert summary(pid)["python"]["version"] == "3.11.2"


def test_no_probes_in_a_mimic(mimic):
    """Nothing in it calls what takes a GIL: probes are refused, and none is left."""
    with running(mimic, "true") as pid:
        run("summary", "-p", pid, "-d", "1", "--engine=uprobe").refused(NO_TARGET)
        assert not wait_for_clean_text(pid)


MUSL = {
    "shared": ["-rdynamic"],
    "static": ["-static"],
    "stripped": ["-static", "-s"],
}


@pytest.mark.skipif(not shutil.which("musl-gcc"), reason="no musl-gcc (Debian: musl-tools)")
@pytest.mark.parametrize("how", MUSL)
def test_linked_with_musl(how, tmp_path):
    """No Python, but what gilwatch goes by: the runtime's symbols or section, and the libc that it is
    linked with. Its threads wait as if for a GIL, and no GIL is read."""
    program = tmp_path / "python3.11"
    include = "/usr/include"
    command = ["musl-gcc", "-O2", "-pthread", '-DSECTION=".PyRuntime"', *MUSL[how]]
    for folder in (include, *map(str, pathlib.Path(include).glob("*-linux-gnu"))):
        command += ["-idirafter", folder]  # of Linux
    subprocess.run([*command, "-o", program, SOURCE], check=True)
    with running(program, "true") as pid:
        process = summary(pid, seconds=1.2)
        listed = {row["pid"]: row for row in json.loads(gilwatch("list", "--json")[1])["processes"]}
    assert_not_believed(process)
    assert "musl" in process["engine_reason"]
    assert "cannot_measure" in [verdict["code"] for verdict in process["verdicts"]]
    assert process["where"]["lock_s"] > 0.4 * 2
    assert listed[pid]["can"] == {"sched": False, "uprobe": False}
    assert "musl" in listed[pid]["because"]["sched"]


NARROW = """
.globl _start, PyEval_SaveThread
_start:
	mov $4, %eax  # write
	mov $1, %ebx
	mov $text, %ecx
	mov $6, %edx
	int $0x80
	mov $29, %eax  # pause
	int $0x80
PyEval_SaveThread:
text:	.ascii "ready\\n"
"""


def test_narrow_program(tmp_path):
    """One of 32 bits that exports what Pythons do: listed, named, with the scheduler's times, and
    nothing said of a GIL."""
    (tmp_path / "narrow.s").write_text(NARROW)
    program = tmp_path / "python3"
    subprocess.run(["as", "--32", "-o", tmp_path / "narrow.o", tmp_path / "narrow.s"], check=True)
    subprocess.run(["ld", "-m", "elf_i386", "-o", program, tmp_path / "narrow.o"], check=True)
    try:
        with running(program) as pid:
            process = summary(pid)
            listed = json.loads(gilwatch("list", "--json")[1])["processes"]
    except OSError as error:
        pytest.skip("this kernel runs no 32-bit programs: %s" % error)
    assert_not_believed(process)
    assert "is a 32-bit program" in process["engine_reason"]
    (why,) = [row["because"]["sched"] for row in listed if row["pid"] == pid]
    assert "is a 32-bit program" in why
    assert process["where"]["other_s"] > 0.4
