# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A program that embeds two Pythons: each GIL has its row, by either engine."""

import json
import pathlib
import subprocess

import pytest
from harness import changed_text, only_process, pyenv_root, run, thread, wait_for_clean_text
from laws import Findings, find_laws
from measure import BOTH

SOURCE = pathlib.Path(__file__).with_name("two_pythons.c")
SECONDS = 2


def libraries():
    """{"3.11.7": (home, library)}: those of pyenv that are shared."""
    found = {}
    for home in sorted(pyenv_root().glob("versions/3.*")):
        version = home.name
        library = home / "lib" / ("libpython%s.so.1.0" % version.rsplit(".", 1)[0])
        if library.exists() and int(version.split(".")[1]) >= 8:
            found[version] = (str(home), str(library))
    return found


LIBRARIES = libraries()
PAIRS = [
    pair
    for pair in (("3.11.7", "3.13.0"), ("3.8.18", "3.12.1"))
    if set(pair) <= set(LIBRARIES)
]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    made = tmp_path_factory.mktemp("two") / "two_pythons"
    subprocess.run(["cc", "-O1", "-pthread", "-o", made, SOURCE], check=True)
    return made


class Embedded:
    """The program with some Pythons in it; tids by the number of the Python."""

    def __init__(self, program, versions):
        command = [program, *[word for version in versions for word in LIBRARIES[version]]]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self.process.pid
        self.tids = [[] for _ in versions]
        for line in self.process.stdout:
            if line == "ready\n":
                break
            number, tid = line.split()
            self.tids[int(number)].append(int(tid))
        assert all(len(tids) == 2 for tids in self.tids), "it did not get ready"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def test_there_are_two_to_test_with():
    if not LIBRARIES:
        pytest.skip("no shared libpython of pyenv here")
    assert PAIRS


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("versions", PAIRS, ids="+".join)
def test_each_python_has_its_gil(program, versions, engine):
    """Two threads spin in each: they wait for one another there, and for nobody of the other."""
    findings = Findings()
    with Embedded(program, versions) as embedded:
        answer = run("summary", "-p", embedded.pid, "-d", SECONDS, "--json", "--engine=" + engine)
        assert not wait_for_clean_text(embedded.pid), changed_text(embedded.pid)
    summary = answer.summary()
    find_laws(findings, summary)
    process = only_process(summary)
    assert process["engine"] == engine and not process["engine_changes"]
    gils = {gil["python"]: gil for gil in process["gils"]}
    assert sorted(gils) == sorted(versions), process["gils"]
    for number, version in enumerate(versions):
        gil = gils[version]
        check_python(findings, process, version, gil, embedded.tids[number], summary["elapsed_s"])
    check_pairs(findings, process, embedded.tids)
    for version in versions:
        assert version in process["python"]["note"]
    findings.report()


def check_python(findings, process, version, gil, tids, elapsed_s):
    """Somebody always holds it, and whoever does not waits; but for hand-overs and starts."""
    states = [thread(process, tid)["states"] for tid in tids]
    held_s = sum(state["python_s"] + state["held_off_s"] for state in states)
    waited_s = sum(state["gil_wait_s"] for state in states)
    # By samples both, but split another way.
    findings.near("%s: its row against its threads" % version, gil["holding_s"], held_s, 0.1, 0.15)
    findings.at_most("%s: held" % version, gil["holding_s"], elapsed_s * 1.001)
    findings.at_least("%s: waited for" % version, waited_s, 0.1 * elapsed_s)
    findings.at_least("%s: changes of the holder" % version, gil["holder_changes"], 2)
    if gil["acquisitions"] is not None:
        mine = sum(thread(process, tid)["gil"]["acquisitions"] for tid in tids)
        findings.near("%s: acquisitions" % version, gil["acquisitions"], mine, 0, 1)
        findings.at_least("%s: acquisitions" % version, gil["acquisitions"], 2)


def check_pairs(findings, process, tids):
    own = [set(of_one) for of_one in tids]
    for pair in process["inflicted"]:
        mixed = pair["by"] is not None and not any({pair["by"], pair["on"]} <= of for of in own)
        findings.true("%s waited for a thread of another Python" % pair, not mixed)


def test_text_names_the_pythons(program):
    if not PAIRS:
        pytest.skip("no two shared libpythons of pyenv here")
    with Embedded(program, PAIRS[0]) as embedded:
        text = run("summary", "-p", embedded.pid, "-d", 0.5).stdout
        listed = json.loads(run("list", "--json").stdout)["processes"]
        pid = embedded.pid
    for version in PAIRS[0]:
        assert "GIL 0 of %s waited for" % version in text
    assert "2 Pythons run in this process" in text
    assert [row for row in listed if row["pid"] == pid and row["can"]["uprobe"]]


@pytest.mark.skipif(len(LIBRARIES) < 3, reason="no three shared libpythons of pyenv here")
def test_a_third_is_told_of(program):
    versions = sorted(LIBRARIES)[-3:]
    with Embedded(program, versions) as embedded:
        answer = run("summary", "-p", embedded.pid, "-d", 0.5, "--json", "--engine=sched")
    process = only_process(answer.summary())
    assert len(process["gils"]) == 2
    assert process["python"]["note"].startswith("3 Pythons run in this process")
    assert "and no other" in process["python"]["note"]
