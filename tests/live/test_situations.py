# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What gilwatch says of the situations that every Python team meets, and of their healthy twins.

A case that fails is taken again. If others used the CPUs at each attempt, it says nothing of gilwatch,
and is shown as skipped with what was found; it fails if it is wrong while they did not.
"""

import pytest
from bench import Bench, look
from cases import CASES
from harness import INTERPRETERS, Others

ATTEMPTS = 3
DISTURBED = 0.2  # CPUs that others used
STEADY = (
    "1 two threads",
    "6 lock across a sleep",
    "10 heartbeat, one hog",
)


@pytest.fixture(scope="module")
def bench():
    with Bench() as made:
        yield made


def take(bench, case, look_at):
    """Fails, or returns what was seen, where what look_at returns has nothing wrong in it."""
    python = case.python or "system"
    why = bench.why_not(case, python)
    if why:
        pytest.skip(why)
    found = []
    for _ in range(ATTEMPTS):
        others = Others()
        seen = look_at(INTERPRETERS[python])
        wrong = [wrong for one in seen for wrong in one.wrong]
        if not wrong:
            return seen
        found.append((others.share(), wrong, [text for one in seen for text in one.texts]))
    for share, wrong, texts in found:
        if share < DISTURBED:
            pytest.fail("others used %.2f CPUs\n%s" % (share, "\n".join(wrong + texts)), False)
    return pytest.skip("others used %s CPUs: %s" % ([round(s, 2) for s, _, _ in found], found[-1][1]))


@pytest.mark.parametrize("case", [case for case in CASES if case.ci], ids=lambda case: case.name)
def test_situation(bench, case):
    engine = case.engines[0] if len(case.engines) == 1 else None
    take(bench, case, lambda python: [look(bench, case, python, engine)])


@pytest.mark.parametrize("name", STEADY)
def test_both_halves_say_the_same(bench, name):
    (case,) = [case for case in CASES if case.name == name]

    def look_twice(python):
        first, second = seen = look(bench, case, python, None, windows=2)
        if first.codes != second.codes:
            second.wrong.append("%s, then %s" % (first.codes, second.codes))
        return seen

    take(bench, case, look_twice)
