# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What must hold for every summary of whatever workload."""

import json

from harness import REPOSITORY, window

try:
    from jsonschema import Draft202012Validator
except ImportError:  # said in the header of the test run
    Draft202012Validator = None

# The first 100 ms are forgiven: before its first switch or sample nothing may be known of a thread.
UNKNOWN_AT_START_S = 0.1

STATES = (
    "python native gil_wait held_off runqueue disk net pipe poll sleep lock fault child stopped"
    " other unknown"
).split()
CAUSES = "gil lock sleep disk net pipe poll fault child other".split()
WHERE = ["running", "runnable", "stopped"] + CAUSES


def total(times):
    """The sum of an object of times; what is null (a reason stands beside it) counts nothing."""
    return sum(value for value in times.values() if isinstance(value, (int, float)))


def blocked_s(where):
    return sum(where[cause + "_s"] for cause in CAUSES)


class Findings:
    """Collects all that is wrong, so that one run shows all of it."""

    def __init__(self):
        self.wrong = []

    def near(self, what, value, truth, relative=0.0, absolute=0.0):
        allowed = max(relative * abs(truth), absolute)
        if value is None or abs(value - truth) > allowed:
            self.wrong.append("%s: %s, should be %.6f ± %.6f" % (what, value, truth, allowed))

    def at_most(self, what, value, limit):
        if value is None or value > limit:
            self.wrong.append("%s: %s, should be at most %.6f" % (what, value, limit))

    def at_least(self, what, value, limit):
        if value is None or value < limit:
            self.wrong.append("%s: %s, should be at least %.6f" % (what, value, limit))

    def true(self, what, value):
        if not value:
            self.wrong.append(what)

    def report(self):
        assert not self.wrong, "\n  " + "\n  ".join(self.wrong)


def check_laws(summary):
    findings = Findings()
    find_laws(findings, summary)
    findings.report()


def find_schema_errors(findings, summary):
    if not Draft202012Validator:
        return
    schema = json.loads((REPOSITORY / "docs" / "summary.schema.json").read_text())
    for error in Draft202012Validator(schema).iter_errors(summary):
        findings.true("schema: %s at %s" % (error.message[:200], error.json_path), False)


def find_laws(findings, summary):
    find_schema_errors(findings, summary)
    start_ns, end_ns = window(summary)
    findings.near("window and elapsed_s", (end_ns - start_ns) / 1e9, summary["elapsed_s"], 0.001)
    for process in summary["processes"]:
        if process["error"] is None:
            find_process_laws(findings, process, summary["elapsed_s"])


def find_process_laws(findings, process, elapsed_s):
    name = "%s %s" % (process["engine"], process["python"]["version"])
    wall_s = process["threads_wall_s"]
    for state in STATES:
        findings.true("%s: state %s" % (name, state), state + "_s" in process["states"])
    for where in WHERE:
        findings.true("%s: where %s" % (name, where), where + "_s" in process["where"])
    findings.near(name + ": states, sum to wall", total(process["states"]), wall_s, 0.001)
    findings.near(name + ": where, sum to wall", total(process["where"]), wall_s, 0.001)
    find_thread_laws(findings, name, process, elapsed_s)
    find_sum_laws(findings, name, process)
    find_gil_laws(findings, name, process, elapsed_s)
    find_loss_laws(findings, name, process)


def unknown_at_start_s(process):
    """Of a program that was started while it was watched nothing is known until its Python is found."""
    found_s = [change["at_s"] for change in process["engine_changes"] if change["from"] == "none"]
    if not found_s:
        return UNKNOWN_AT_START_S
    return UNKNOWN_AT_START_S + found_s[0] - process["began_s"]


def find_thread_laws(findings, name, process, elapsed_s):
    if process["engine"] == "none":
        return
    for thread in process["threads"]:
        who = "%s: thread %d" % (name, thread["tid"])
        wall_s = thread["wall_s"]
        findings.near(who + ", states sum to wall", total(thread["states"]), wall_s, 0.001)
        findings.near(who + ", where sums to wall", total(thread["where"]), wall_s, 0.001)
        findings.near(
            who + ", cpus sum to running",
            total(thread["cpus"]),
            thread["where"]["running_s"],
            0.001,
            0.0001,
        )
        findings.at_most(who + ", wall", wall_s, elapsed_s * 1.001)
        findings.at_most(
            who + ", unknown",
            thread["states"]["unknown_s"],
            0.001 * wall_s + unknown_at_start_s(process),
        )
        findings.at_most(
            who + ", other", thread["states"]["other_s"], 0.02 * wall_s + UNKNOWN_AT_START_S
        )
        findings.near(
            who + ", held_off_by sums to held_off",
            total(thread["held_off_by"]),
            thread["states"]["held_off_s"],
            0.001,
            0.000001,
        )


def find_sum_laws(findings, name, process):
    parts = process["threads"] + [process["ended_threads"]]
    findings.near(
        name + ": threads + ended, wall",
        sum(part["wall_s"] for part in parts),
        process["threads_wall_s"],
        0.000001,
        0.000001,
    )
    for state in STATES:
        findings.near(
            "%s: threads + ended, %s" % (name, state),
            sum(part["states"][state + "_s"] or 0 for part in parts),
            process["states"][state + "_s"] or 0,
            0.000001,
            0.000001,
        )


def find_gil_laws(findings, name, process, elapsed_s):
    holding_s = (process["states"]["python_s"] or 0) + (process["states"]["held_off_s"] or 0)
    gils = max(1, len(process["gils"]))
    findings.at_most(name + ": python + held_off of a GIL", holding_s, gils * elapsed_s * 1.001)
    for gil in process["gils"]:
        findings.at_most(name + ": holding of a GIL", gil["holding_s"], elapsed_s * 1.001)
    gil_wait_s = process["states"]["gil_wait_s"]
    if gil_wait_s is None:  # there is no GIL, or nothing is known of it
        return
    findings.near(
        name + ": gil_wait_by_holder sums to gil_wait",
        total(process["gil_wait_by_holder"]),
        gil_wait_s,
        0.01,
        0.001 * elapsed_s,
    )
    if process["engine"] == "uprobe" and not process["engine_changes"]:
        find_inflicted_laws(findings, name, process, gil_wait_s, elapsed_s)


def find_inflicted_laws(findings, name, process, gil_wait_s, elapsed_s):
    handover_s = process["gil_wait_by_holder"]["handover_s"]
    pairs_s = sum(pair["wait_s"] for pair in process["inflicted"]) + process["inflicted_rest_s"]
    findings.near(
        name + ": inflicted pairs + hand-over = gil_wait",
        pairs_s + handover_s,
        gil_wait_s,
        0.01,
        0.001 * elapsed_s,
    )
    if not process["ended_threads"]["count"]:
        inflicted_s = sum(thread["inflicted_s"] for thread in process["threads"])
        findings.near(
            name + ": inflicted + no holder + hand-over = gil_wait",
            inflicted_s + process["gil_wait_by_holder"]["none_s"] + handover_s,
            gil_wait_s,
            0.01,
            0.001 * elapsed_s,
        )


def find_loss_laws(findings, name, process):
    check = process["check"]
    findings.true("%s: %s events lost" % (name, check["lost_events"]), check["lost_events"] == 0)
    # Each is a millisecond at most that counts as runnable and ran. How many there are is up to the
    # machine: here its agent's threads, whose leaving is never told, run some ten times a second.
    missed = check["missed_switches"]
    findings.at_most(
        name + ": missed switches, seconds", missed * 0.001, 0.005 * check["wall_s"] + 0.005
    )
    findings.near(name + ": check line, cells and wall", check["cells_s"], check["wall_s"], 0.001)
    acquisitions = [gil["acquisitions"] for gil in process["gils"]]
    if acquisitions and None not in acquisitions:
        # A thread that is believed off the CPU and runs may be taken for what it was; and where many
        # want the CPUs, one is now and then preempted in the few instructions between the change of
        # the GIL's memory and the probe (seen: once in 2,000 acquisitions at a load of 20 a CPU).
        findings.at_most(
            name + ": corrected", check["corrected"], 2 + 0.001 * sum(acquisitions) + missed
        )


def find_schedstat_laws(findings, summary, books, tids):
    """running + runnable of threads that lived throughout, against the kernel's run + wait."""
    start_ns, end_ns = window(summary)
    for process in summary["processes"]:
        for thread in process["threads"]:
            if thread["tid"] not in tids or not thread["alive"]:
                continue
            findings.near(
                "%s: thread %d, running + runnable against schedstat"
                % (process["engine"], thread["tid"]),
                thread["where"]["running_s"] + thread["where"]["runnable_s"],
                books.seconds(thread["tid"], start_ns, end_ns),
                0.01,
                0.010,
            )
