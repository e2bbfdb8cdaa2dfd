# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A result as text, as a page of documentation, and as a plot."""

FIGURE_NAMES = {
    "rate": "rate",
    "p99": "p99",
    "gil_wait": "GIL wait, share of thread time",
    "held": "GIL held, share of time",
    "forced_per_s": "forced releases/s",
}
SPEED = ("workload", "tool", "to bare", "95 % interval", "target", "")
COSTS = ("what", "tool", "value", "95 % interval", "target", "")
ACCURACY = ("program", "figure", "tool", "told", "truth", "difference")


def number(value):
    if value is None:
        return ""
    return "%.3f" % value if abs(value) < 10 else "%.1f" % value


def interval(row):
    return "" if row["low"] is None else "%s – %s" % (number(row["low"]), number(row["high"]))


def remark(row):
    if row["value"] is None:
        return "not at hand: %s" % row["reason"]
    return "; ".join(part for part in (row["verdict"], row["reason"]) if part)


def speed_cells(row):
    name = "%s, %s" % (row["workload"], FIGURE_NAMES[row["figure"]])
    return name, row["tool"], number(row["value"]), interval(row), row["target"] or "", remark(row)


def cost_cells(row):
    value = "%s %s" % (number(row["value"]), row["unit"]) if row["value"] is not None else ""
    cells = row["what"], row["tool"], value.strip(), interval(row), row["target"] or ""
    return (*cells, remark(row))


def accuracy_cells(row):
    told, truth = row["told"], row["truth"]
    difference = number(told - truth) if None not in (told, truth) else row["reason"] or ""
    name = FIGURE_NAMES[row["figure"]]
    return row["workload"], name, row["tool"], number(told), number(truth), difference


def tables(result):
    return (
        ("Speed of the watched program, to bare", SPEED, [speed_cells(row) for row in result["speed"]]),
        ("What gilwatch itself takes", COSTS, [cost_cells(row) for row in result["costs"]]),
        ("Accuracy", ACCURACY, [accuracy_cells(row) for row in result["accuracy"]]),
    )


def machine_lines(machine):
    memory = ", %s GiB" % machine["memory_gib"] if "memory_gib" in machine else ""
    virtual = ", a virtual machine" if machine.get("virtual") else ""
    yield "%s, %d CPUs%s%s, Linux %s" % (
        *(machine["cpu"], machine["cpus"], memory, virtual, machine["kernel"]),
    )
    tools = ["%s %s" % (name, version) for name, version in machine["tools"].items() if version]
    gilwatch = machine.get("gilwatch")
    ours = ["gilwatch %s" % gilwatch] if gilwatch else []
    yield ", ".join(["CPython %s" % machine["python"], *ours, *tools])


def text(result):
    parts = ["\n".join(machine_lines(result["machine"]))]
    for title, head, rows in tables(result):
        if not rows:
            continue
        widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head) - 1)]
        lines = [
            "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[-1]]).rstrip()
            for row in [head, *rows]
        ]
        parts.append("\n".join([title, "", *lines]))
    return "\n\n".join(parts) + "\n"


INTRODUCTION = """\
<!-- Written by `make bench BENCH=--keep`: do not edit. -->
# What gilwatch costs, beside others

What `make bench` measured. Each tool watches a program that runs all the time, for a second or two,
between two slices in which nobody does; its figure is the ratio to these two, so that what the
machine does by itself drops out. The order of the tools is another one in each round. A value is the
mean of the middle half of the rounds, with its 95 % bootstrap interval. The row "bare again" is no
tool at all: what it differs from 1 is noise. "Empty program" is a BPF program at context switches that
does nothing; "empty programs, all events" adds one at wake-ups and one at the sampler's ticks: less
than that no tool can cost that hears of these events, and what gilwatch costs beyond it is its own
work. A target is met if the interval reaches it, and not
shown if the interval is wider than 0.04.
"""
CURVE = """\
![slowdown against GIL cycles a second](slowdown.svg)

One thread that releases and takes the GIL so many times a second, and computes in between: how much
longer it takes under each tool.
"""


def markdown_table(head, rows):
    def line(cells):
        return "| %s |" % " | ".join(cell.replace("|", "\\|") for cell in cells)

    return "\n".join([line(head), "|" + " --- |" * len(head), *map(line, rows)])


def markdown(result):
    machine = "\n".join("- " + line for line in machine_lines(result["machine"]))
    parts = [INTRODUCTION, machine + "\n"]
    if result["curve"]:
        parts.append(CURVE)
    for title, head, rows in tables(result):
        if rows:
            parts.append("## %s\n\n%s\n" % (title, markdown_table(head, rows)))
    return "\n".join(parts)


def plot_script(curve, path):
    """For gnuplot: slowdown against cycles a second, with its intervals, a line a tool."""
    tools = list(dict.fromkeys(point["tool"] for point in curve))
    lines = [
        "set terminal svg noenhanced size 860,520 font 'sans-serif,13' background 'white'",
        "set output '%s'" % path,
        "set logscale xy",
        "set xlabel 'GIL cycles a second, bare'",
        "set ylabel 'time for the same work, bare = 1'",
        "set format x '%.0s%c'",
        "set key top left",
        "set grid",
        "set yrange [0.9:*]",
    ]
    for index, tool in enumerate(tools):
        lines.append("$tool%d << EOD" % index)
        for point in curve:
            if point["tool"] == tool:
                keys = ("cycles_per_s", "slowdown", "low", "high")
                lines.append(" ".join(repr(float(point[key])) for key in keys))
        lines.append("EOD")
    plots = [
        "$tool%d using 1:2:3:4 with yerrorlines lw 2 pt 7 ps 0.6 title '%s'" % (index, tool)
        for index, tool in enumerate(tools)
    ]
    lines.append("plot " + ", \\\n     ".join(plots))
    return "\n".join(lines) + "\n"
