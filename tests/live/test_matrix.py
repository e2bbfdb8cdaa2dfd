# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Every CPython of this machine under the same measurements, and its call sites against the truth."""

import os

import matrix
import pytest
from measure import BOTH, interpreters
from true_sites import found_sites, symbols_of, true_sites


@pytest.mark.parametrize("python", interpreters(*matrix.WITH_GIL))
def test_contended_pair(python):
    matrix.contended_pair(python).findings.report()


@pytest.mark.parametrize("python", interpreters(*matrix.WITH_GIL))
def test_counted_cycles(python):
    matrix.counted_cycles(python).findings.report()


@pytest.mark.parametrize("python", interpreters(*matrix.WITH_GIL))
def test_held_while_blocked(python):
    matrix.held_while_blocked(python).findings.report()


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("python", interpreters(*matrix.WITHOUT_GIL))
def test_without_gil(python, engine):
    _, findings = matrix.without_gil(python, engine)
    findings.report()


def lack_symbols(what):
    """On Debian they can be had (tools/interpreters.sh); elsewhere there may be none."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(what)


@pytest.mark.parametrize("file", matrix.runtime_files())
def test_sites_are_those_of_the_symbols(file):
    symbols = symbols_of(file)
    if not symbols:
        lack_symbols("no symbols of %s" % file)
    truth, _ = true_sites(file, symbols)
    assert truth.acquire and truth.release
    assert found_sites(file) == truth


def test_some_sites_are_outside_of_drop_gil():
    """Or the test above does not show that these are found."""
    static = [file for file in matrix.runtime_files() if "/bin/" in file and symbols_of(file)]
    outside = [true_sites(file, symbols_of(file))[1] for file in static]
    if not static:
        lack_symbols("no static interpreter with symbols")
    assert any(outside)
