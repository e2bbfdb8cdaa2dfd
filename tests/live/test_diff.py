# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Two saved summaries of real programs, before and after a change."""

import json
import subprocess

import pytest
from harness import GILWATCH, REPOSITORY, SYSTEM_PYTHON, USAGE, run
from laws import Draft202012Validator

SPIN = """
import threading, time
def work():
    end = time.monotonic() + 1.2
    while time.monotonic() < end:
        %s
threads = [threading.Thread(target=work) for _ in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Two threads that contend, and the same that sleep instead."""
    directory = tmp_path_factory.mktemp("summaries")
    for name, what in (("before", "pass"), ("after", "time.sleep(0.01)")):
        file = directory / (name + ".json")
        answer = run("run", "-j", "-o", file, "--", SYSTEM_PYTHON, "-c", SPIN % what)
        assert answer.status == 0, answer
    return directory


def difference(*arguments):
    answer = run("diff", "--json", *arguments)
    assert answer.status == 0, answer
    document = json.loads(answer.stdout)
    if Draft202012Validator:
        schema = json.loads((REPOSITORY / "docs" / "diff.schema.json").read_text())
        assert not list(Draft202012Validator(schema).iter_errors(document))
    return document


def test_less_waiting(saved):
    document = difference(saved / "before.json", saved / "after.json")
    (pair,) = document["processes"]
    assert pair["compared"] and not pair["before"]["pid"] == pair["after"]["pid"]
    waiting = pair["threads"]["gil_wait"]
    assert waiting["change"] == "less" and waiting["before"] > 0.3 > waiting["after"]
    assert pair["shares"]["sleep"]["change"] == "more"
    # Which they are is up to what else the machine does.
    for name in ("before", "after"):
        (process,) = json.loads((saved / (name + ".json")).read_text())["processes"]
        given = {verdict["code"] for verdict in pair["verdicts"] if verdict[name]}
        assert given == {verdict["code"] for verdict in process["verdicts"]}
    text = run("diff", saved / "before.json", saved / "after.json")
    assert text.status == 0, text
    told = " ".join(text.stdout.split())
    assert "less gil wait" in told, text


def test_a_summary_and_itself(saved):
    document = difference(saved / "before.json", saved / "before.json")
    (pair,) = document["processes"]
    assert {part["change"] for part in pair["shares"].values()} == {"same"}
    assert "the same summary" in document["remarks"][0]["text"]


def test_one_can_come_from_standard_input(saved):
    with open(saved / "after.json") as after:
        answer = subprocess.run(
            [GILWATCH, "diff", saved / "before.json", "-"], stdin=after, capture_output=True, text=True
        )
    assert answer.returncode == 0, answer
    assert "\nAFTER     1." in answer.stdout, answer


def test_what_is_no_summary(saved, tmp_path):
    good = saved / "before.json"
    whole = good.read_text()
    for text, says in (
        ("", "ends before"),
        (whole[: len(whole) // 2], "ends before"),
        ("Hello.", "not JSON"),
        ("{}", "schema"),
        (whole.replace("gilwatch.summary.v1", "gilwatch.summary.v2", 1), "gilwatch.summary.v2"),
        (whole.replace('"processes"', '"prozesse"', 1), "processes"),
    ):
        bad = tmp_path / "bad.json"
        bad.write_text(text)
        for files in ((good, bad), (bad, good)):
            run("diff", *files).refused(USAGE, says=["bad.json", says])
    run("diff", good, tmp_path / "none.json").refused(USAGE, says=["none.json", "cannot be read"])
    run("diff", good, tmp_path).refused(USAGE, says=[str(tmp_path)])
    run("diff", good).refused(USAGE, says=["which two files"])
    run("diff", "-", "-").refused(USAGE, says=["only one"])
    run("diff", good, good, good).refused(USAGE, says=["too many"])


def test_output(saved, tmp_path):
    files = (saved / "before.json", saved / "after.json")
    assert run("diff", "-o", tmp_path / "out", *files).status == 0
    assert "WHAT CHANGED" in (tmp_path / "out").read_text()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    run("diff", "-o", tmp_path / "link", *files).refused(USAGE, says=["symbolic link"])
    assert not (tmp_path / "elsewhere").exists()
    run("diff", "-o", "/dev/full", *files).refused(1, says=["/dev/full"])
