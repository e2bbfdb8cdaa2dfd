# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What is true of a measured workload's GIL: each finds what is wrong, and reports nothing."""

from harness import at, verdict_codes


def find_queue(measured, threads):
    """Threads of pure Python: each has the GIL for 1/n of the time and goes without it else."""
    findings = measured.findings
    for engine in measured.summaries:
        process = measured.process(engine)
        for number in range(threads):
            thread = measured.thread(engine, "spinner%d" % number)
            states = thread["states"]
            without_s = states["gil_wait_s"] + states["runqueue_s"] + states["held_off_s"]
            findings.near(
                "%s: spinner%d without the GIL" % (engine, number),
                without_s / thread["wall_s"],
                (threads - 1) / threads,
                absolute=0.03,
            )
        python = process["parallelism"]["python"]
        findings.at_least(engine + ": python parallelism", python, 0.95)
        findings.at_most(engine + ": python parallelism", python, 1.0)
        codes = verdict_codes(process)
        findings.true("%s: gil_bound is not in %s" % (engine, codes), "gil_bound" in codes)


def find_holds_near_interval(measured):
    for gil in measured.process("uprobe")["gils"]:
        # A percentile is its bucket's upper edge, up to 12.5 % above what is in it.
        measured.findings.at_least("median hold", gil["hold"]["p50_s"], 0.9 * gil["interval_s"])
        measured.findings.at_most("median hold", gil["hold"]["p50_s"], 1.25 * gil["interval_s"])


def true_cycles(measured, name):
    """A thread's own count of its cycles, cut to the window."""
    _, end_ns = measured.window("uprobe")
    log = measured.truth["cycles"][name]
    # Threads are taken up one after the other as the window begins: each counts from there on.
    wall_s = measured.thread("uprobe", name)["wall_s"]
    return at(log, end_ns) - at(log, end_ns - wall_s * 1e9)


def find_cycles(measured, name):
    """Acquisitions of a thread against its own count."""
    truth = true_cycles(measured, name)
    gil = measured.thread("uprobe", name)["gil"]
    # What others force it to give up between two cycles is taken again, and not in its count.
    measured.findings.at_least(name + ": acquisitions", gil["acquisitions"], truth * 0.999)
    measured.findings.at_most(
        name + ": acquisitions", gil["acquisitions"], truth * 1.001 + gil["forced_releases"]
    )


def find_releases(measured):
    process = measured.process("uprobe")
    for gil in process["gils"]:
        measured.findings.near(
            "releases against acquisitions",
            gil["releases"],
            gil["acquisitions"],
            absolute=len(process["threads"]),
        )


USLEEP_S = 0.050


def find_sleep_with_the_gil(measured, engine):
    findings = measured.findings
    process = measured.process(engine)
    holder = measured.thread(engine, "holder")
    start_ns, end_ns = measured.window(engine)
    calls = [(call, call + USLEEP_S * 1e9) for call in measured.truth["calls"]]
    inside = (min(end, end_ns) - max(start, start_ns) for start, end in calls)
    truth_s = sum(part for part in inside if part > 0) / 1e9
    findings.at_least(
        engine + ": held_off by sleep, share of the holder's held_off",
        holder["held_off_by"]["sleep_s"] / max(holder["states"]["held_off_s"], 1e-9),
        0.95,
    )
    findings.near(engine + ": held_off by sleep", holder["held_off_by"]["sleep_s"], truth_s, 0.03)
    findings.near(engine + ": inflicted by the holder", holder["inflicted_s"], truth_s, 0.03)
    tids = measured.tids
    pairs = {(pair["by"], pair["on"]): pair["wait_s"] for pair in process["inflicted"]}
    findings.at_least(
        engine + ": the pair (holder, spinner), share of inflicted",
        pairs.get((tids["holder"], tids["spinner0"]), 0) / (holder["inflicted_s"] or 1e-9),
        0.99,
    )
    findings.near(
        engine + ": gil_wait while the holder sleeps",
        process["gil_wait_by_holder"]["sleep_s"],
        truth_s,
        0.03,
    )
    codes = verdict_codes(process)
    findings.true("%s: gil_held_blocked is not in %s" % (engine, codes), "gil_held_blocked" in codes)
