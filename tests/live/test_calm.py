# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A watch in which nothing new happens leaves its own CPU alone, and hears of what does happen."""

import re
import time

import pytest
from harness import Gilwatch, Workload, only_process
from laws import check_laws

SECONDS = 4


def sleeps(pid):
    """How often it has gone to sleep by itself."""
    with open("/proc/%d/status" % pid) as file:
        return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.M).group(1))


@pytest.mark.parametrize("engine", ["sched", "auto"])
def test_a_calm_watch_ticks_four_times_a_second(engine):
    with Workload("rest") as work:
        command = ["summary", "-p", work.pid, "-d", 120, "--json", "--engine=" + engine]
        with Gilwatch(*command, terminal=True) as gilwatch:
            gilwatch.wait_until_watching()
            time.sleep(3)  # it knows the process by then, and the sampler rests
            before = sleeps(gilwatch.process.pid)
            time.sleep(SECONDS)
            slept = sleeps(gilwatch.process.pid) - before
            # Of itself it would go on for two minutes.
            work.kill()
            result = gilwatch.finish(timeout=30).summary()
    check_laws(result)
    assert only_process(result)["ended"] == "target_exit"
    # Four ticks and a look at the budget each second; it was twenty.
    assert slept <= 10 * SECONDS
