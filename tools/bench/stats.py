# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The statistics of the benchmark, and nothing else: the order of slices, ratios to the bare slices
beside them, bootstrap intervals, and what they say of a target."""

import math
import random

MET, NOT_MET, NOT_SHOWN = "met", "not met", "not shown"
# A ratio known less exactly than that shows nothing of a slowdown of 1 or 2 %.
WIDEST = 0.04
RESAMPLES = 4000
BARE = "bare"


def plan(tools, rounds, seed=1):
    """The slices in the order in which they are measured: (round, tool), each round with its tools
    in an order of its own, a bare slice before and after each tool."""
    shuffle = random.Random(seed).shuffle
    slices = []
    for number in range(rounds):
        order = list(tools)
        shuffle(order)
        slices.append((number, BARE))
        for tool in order:
            slices += [(number, tool), (number, BARE)]
    return slices


def ratios(measured):
    """By tool, a ratio a round: its slice to the mean of the bare slices just before and after it.

    measured: (round, tool, value) in the order of plan(); a value of None: it was not to be had. The
    neighbours take out what the machine does by itself, which changes from minute to minute.
    """
    found = {}
    for index, (number, tool, value) in enumerate(measured):
        if tool == BARE or value is None:
            continue
        beside = [
            other
            for at in (index - 1, index + 1)
            if 0 <= at < len(measured)
            for other_number, name, other in [measured[at]]
            if name == BARE and other_number == number and other
        ]
        if beside:
            found.setdefault(tool, []).append(value * len(beside) / sum(beside))
    return found


def midmean(values):
    """The mean of the middle half: a slice that something else disturbed does not move it."""
    ordered = sorted(values)
    cut = len(ordered) // 4
    middle = ordered[cut : len(ordered) - cut]
    return math.fsum(middle) / len(middle)


def estimate(values, seed=1):
    """(value, low, high): the midmean with its 95 % bootstrap interval; None without values."""
    if not values:
        return None
    choices = random.Random(seed).choices
    means = sorted(midmean(choices(values, k=len(values))) for _ in range(RESAMPLES))
    low, high = means[round(0.025 * RESAMPLES)], means[round(0.975 * RESAMPLES) - 1]
    return midmean(values), low, high


def judge_ratio(estimated, at_least=None, at_most=None):
    """Whether a ratio reaches its target: its interval does, and is narrow enough to say so. One
    that misses the target by its whole interval is not met, however wide that is."""
    if estimated is None:
        return NOT_SHOWN
    _, low, high = estimated
    if (at_least is not None and high < at_least) or (at_most is not None and low > at_most):
        return NOT_MET
    return NOT_SHOWN if high - low >= WIDEST else MET


def judge_value(estimated, below):
    """Whether a time or a size stays below its limit with its whole interval."""
    if estimated is None:
        return NOT_SHOWN
    _, low, high = estimated
    if high < below:
        return MET
    return NOT_MET if low >= below else NOT_SHOWN
