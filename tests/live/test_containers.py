# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Targets whose files are not where they seem to be: in a root and namespaces of their own, on an
overlay, deleted or replaced since they were started. Each counts its GIL cycles, to be counted by
gilwatch as well."""

import json
import os
import shutil
import subprocess

import matrix
import pytest
from gil_checks import find_cycles
from harness import (
    GILWATCH,
    HERE,
    INTERPRETERS,
    SYSTEM_PYTHON,
    Workload,
    only_process,
    root_of,
)
from laws import check_laws
from measure import watch

ROOTED = [name for name, python in INTERPRETERS.items() if root_of(python) != "/"]
needs_root = pytest.mark.skipif(not ROOTED, reason="no interpreter in a root of its own")


def descendants(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as children:
        for child in map(int, children.read().split()):
            yield child
            yield from descendants(child)


def inner_id(path):
    """What a process or thread is called in its innermost PID namespace."""
    with open(path + "/status") as status:
        for line in status:
            if line.startswith("NSpid:"):
                return int(line.split()[-1])
    return None


class Contained(Workload):
    """A workload in a PID namespace of its own. It knows itself by other numbers than we do."""

    def __init__(self, *args, **how):
        super().__init__(*args, **how)
        inner = self.ready["pid"]
        self.pid = next(
            pid for pid in descendants(self.process.pid) if inner_id("/proc/%d" % pid) == inner
        )
        tasks = "/proc/%d/task/" % self.pid
        ours = {inner_id(tasks + tid): int(tid) for tid in os.listdir(tasks)}
        self.tids = {name: ours[tid] for name, tid in self.tids.items()}


def check_cycles(work):
    measured = watch(work, seconds=2)
    measured.truth = work.finish()
    find_cycles(measured, "cycler0")
    measured.findings.report()


@needs_root
@pytest.mark.parametrize("name", ROOTED)
def test_namespaces(name):
    prefix = "unshare --mount --pid --fork --kill-child --user --map-root-user".split()
    with Contained("cycles", prefix=prefix, python=INTERPRETERS[name]) as work:
        assert work.pid != work.ready["pid"]
        check_cycles(work)


# The root becomes an overlay above itself, which is gone with the namespace. Arguments: the root, a
# directory for what is written, and the command.
OVERLAY = """
root=$1 place=$2 && shift 2 &&
mount -t tmpfs tmpfs "$place" && mkdir "$place/upper" "$place/work" &&
mount -t overlay overlay -o "lowerdir=$root,upperdir=$place/upper,workdir=$place/work" "$root" &&
exec "$@"
"""


@needs_root
def test_overlay(tmp_path):
    python = INTERPRETERS[ROOTED[-1]]
    prefix = ["unshare", "--mount", "sh", "-c", OVERLAY, "sh", root_of(python), str(tmp_path)]
    tried = subprocess.run([*prefix, "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip("no overlay can be mounted: %s" % tried.stderr.strip())
    with Workload("cycles", prefix=prefix, python=python) as work:
        with open("/proc/%d/mounts" % work.pid) as mounts:
            assert mounts.read().startswith("overlay / overlay ")
        check_cycles(work)


def copied_executable(directory):
    """(file, command): a Python that runs from a copy of its executable."""
    copy = shutil.copy(os.path.realpath(SYSTEM_PYTHON), directory)
    return copy, [copy]


def copied_library(directory):
    """(file, command): a Python that runs with a copy of its libpython."""
    for name, python in INTERPRETERS.items():
        library = mapped_libpython(name, python)
        if library:
            copy = shutil.copy(library, directory)
            return copy, ["env", "LD_LIBRARY_PATH=%s" % directory, python]
    pytest.skip("no Python with a libpython, from 3.8 on")


def mapped_libpython(name, python):
    if name not in matrix.WITH_GIL or not isinstance(python, str):
        return None
    code = "print(*open('/proc/self/maps'))"
    maps = subprocess.run([python, "-c", code], capture_output=True, text=True).stdout
    found = [line.split()[-1] for line in maps.splitlines() if "/libpython3." in line]
    return found[0] if found else None


def delete(file, _):
    os.unlink(file)


def replace(file, directory):
    """As an upgrade does it: another file takes the name."""
    other = directory / "other"
    shutil.copy("/bin/true", other)
    os.replace(other, file)


def replace_by_a_python(file, directory):
    """Another one, in which nothing is where it is in the file that runs."""
    other = directory / "other"
    shutil.copy(next(path for path in matrix.runtime_files() if not os.path.samefile(path, file)), other)
    os.replace(other, file)


def remove_directory(file, directory):
    shutil.rmtree(directory)


@pytest.mark.parametrize("change", [delete, replace, replace_by_a_python, remove_directory])
@pytest.mark.parametrize("copied", [copied_executable, copied_library])
def test_changed_on_disk(copied, change, tmp_path):
    directory = tmp_path / "bin"
    directory.mkdir()
    file, python = copied(directory)
    with Workload("cycles", python=python) as work:
        with open("/proc/%d/maps" % work.pid) as maps:
            assert file in maps.read()
        change(file, directory)
        with open("/proc/%d/maps" % work.pid) as maps:
            assert file + " (deleted)" in maps.read()
        check_cycles(work)


INSIDE = """
import json, subprocess, sys
spin = subprocess.Popen([sys.argv[1], sys.argv[2], "--threads", "2"], stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE)
ready = json.loads(spin.stdout.readline())
for engine in ("sched", "uprobe"):
    out = subprocess.run([sys.argv[3], "summary", "-p", str(ready["pid"]), "-d", "2", "--json",
                          "--engine=" + engine], capture_output=True, text=True)
    print(json.dumps([ready, out.returncode, out.stdout, out.stderr]))
spin.kill()
"""


def test_gilwatch_in_a_namespace_of_its_own():
    """There the PIDs are not the kernel's: what is typed and what is shown are those of /proc there."""
    command = "unshare --mount --pid --fork --kill-child --mount-proc".split()
    spin = str(HERE / "workloads" / "spin.py")
    said = subprocess.run(
        [*command, SYSTEM_PYTHON, "-c", INSIDE, SYSTEM_PYTHON, spin, GILWATCH],
        capture_output=True,
        text=True,
        timeout=60,
    )
    lines = said.stdout.splitlines()
    assert len(lines) == 2, said
    for ready, status, out, err in map(json.loads, lines):
        assert status == 0, err
        summary = json.loads(out)
        check_laws(summary)
        process = only_process(summary)
        assert process["pid"] == ready["pid"] < 1000
        assert {thread["tid"] for thread in process["threads"]} == set(ready["tids"].values())
        assert process["states"]["gil_wait_s"] > 0.8 * summary["elapsed_s"]
