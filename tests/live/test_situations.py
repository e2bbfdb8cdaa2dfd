# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What gilwatch says of the situations that every Python team meets, and of their healthy twins.

A case that is wrong is taken again, and fails if it is wrong twice while others left the CPUs alone. One
that was wrong only while they used them says nothing of gilwatch: it is shown as skipped, with what was
found.
"""

import pytest
from bench import Bench, look
from cases import CASES
from harness import INTERPRETERS, Others

ATTEMPTS = 3
DISTURBED = 0.2  # CPUs that others used
# On a machine that is busy for long, all cases would be taken three times.
AGAIN_AT_MOST = 12
STEADY = (
    "1 two threads",
    "6 lock across a sleep",
    "10 heartbeat, one hog",
)


@pytest.fixture(scope="module")
def bench():
    with Bench() as made:
        made.again = AGAIN_AT_MOST
        yield made


def attempts(bench, look_at):
    """Looks at a case until it is right: (CPUs that others used, what is wrong, what was said)."""
    for _ in range(ATTEMPTS):
        others = Others()
        seen = look_at()
        wrong = [wrong for one in seen for wrong in one.wrong]
        yield others.share(), wrong, [text for one in seen for text in one.texts]
        if not wrong:
            return
        if others.share() >= DISTURBED:
            if not bench.again:
                return
            bench.again -= 1


def take(bench, case, look_at, python=None):
    python = python or case.python or "system"
    why = bench.why_not(case, python)
    if why:
        pytest.skip(why)
    found = list(attempts(bench, lambda: look_at(INTERPRETERS[python])))
    if not found[-1][1]:
        return
    alone = [wrong + texts for share, wrong, texts in found if share < DISTURBED]
    if len(alone) > 1:
        pytest.fail("wrong %d times\n%s" % (len(alone), "\n".join(alone[-1])), False)
    pytest.skip("others used %s CPUs: %s" % ([round(share, 2) for share, _, _ in found], found[-1][1]))


@pytest.mark.parametrize("case", [case for case in CASES if case.ci], ids=lambda case: case.name)
def test_situation(bench, case):
    engine = case.engines[0] if len(case.engines) == 1 else None
    take(bench, case, lambda python: [look(bench, case, python, engine)])


def case_of(name):
    (case,) = [case for case in CASES if case.name == name]
    return case


# Up to 3.10 time.sleep is select: pselect6 by the C library of today, the old call by one before 2.34.
@pytest.mark.parametrize("python", ["3.8", "3.9-bullseye"])
def test_heartbeat_that_sleeps_in_select(bench, python):
    case = case_of("10 heartbeat, one hog")
    take(bench, case, lambda command: [look(bench, case, command, None)], python)


@pytest.mark.parametrize("name", STEADY)
def test_the_view_says_the_same(bench, name):
    case = case_of(name)
    take(bench, case, lambda python: [look(bench, case, python, None, view=True)])


@pytest.mark.parametrize("name", STEADY)
def test_both_halves_say_the_same(bench, name):
    case = case_of(name)

    def look_twice(python):
        first, second = seen = look(bench, case, python, None, windows=2)
        if first.codes != second.codes:
            second.wrong.append("%s, then %s" % (first.codes, second.codes))
        return seen

    take(bench, case, look_twice)
