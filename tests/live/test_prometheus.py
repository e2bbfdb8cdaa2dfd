# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A real Prometheus scrapes the exporter: sums by PromQL against the programs' own truth and against
`gilwatch summary`; rules and dashboard asked of it."""

import json
import math
import os
import re
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

import pytest
import yaml
from exporter import PATIENCE_S, SPIN, Exporter, Programs, free_port, wait_for
from harness import REPOSITORY, Schedstat, only_process, run

DEPLOY = REPOSITORY / "tools" / "deploy"
# Waiting, if not for CPUs, all but one: many more than the alert takes.
SPINNERS = 6
WINDOW = "8s"  # in place of the minutes that rules and dashboard look back


# It waits for nobody, and resumes now and then.
HEALTHY = """
import time
print("ready", flush=True)
while True:
    time.sleep(0.05)
"""


class Prometheus:
    def __init__(self, targets):
        self.port = free_port()
        self.directory = tempfile.TemporaryDirectory(prefix="gilwatch-prometheus-")
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "scrape_configs": [
                {
                    "job_name": "gilwatch",
                    "static_configs": [{"targets": ["127.0.0.1:%d" % port for port in targets]}],
                }
            ],
        }
        path = os.path.join(self.directory.name, "prometheus.yml")
        with open(path, "w") as file:
            yaml.safe_dump(config, file)
        self.process = subprocess.Popen(
            [
                "prometheus",
                "--config.file=" + path,
                "--storage.tsdb.path=" + self.directory.name,
                "--web.listen-address=127.0.0.1:%d" % self.port,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def query(self, expression):
        """[(labels, value or values)] as of now."""
        query = urllib.parse.urlencode({"query": expression})
        url = "http://127.0.0.1:%d/api/v1/query?%s" % (self.port, query)
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            data = json.load(answer)
        assert data["status"] == "success", data
        return [
            (found["metric"], found["values"] if "values" in found else float(found["value"][1]))
            for found in data["data"]["result"]
        ]

    def has(self, expression):
        try:
            return self.query(expression)
        except OSError:  # it does not listen yet
            return None

    def log(self, selector):
        """The samples of one series: [(seconds since 1970, value)]."""
        ((_, values),) = self.query(selector + "[10m]")
        return [(at, float(value)) for at, value in values]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.directory.cleanup()


class Scraped:
    """A contended and a healthy program, watched by an exporter that a Prometheus scrapes, for as
    long as the window is."""

    def __init__(self, prometheus, exporter, busy, idle, books, summary):
        self.prometheus, self.exporter = prometheus, exporter
        self.busy, self.idle, self.books, self.summary = busy, idle, books, summary


@pytest.fixture(scope="module")
def scraped():
    with Programs() as busy, Programs() as idle:
        work = busy.start(SPIN, SPINNERS)
        work.stdout.readline()
        idle.start(HEALTHY).stdout.readline()
        with Exporter("--comm", busy.comm, "--comm", idle.comm, "--per-process") as exporter:
            with Prometheus([exporter.port]) as prometheus:
                wait_for(
                    "the first scrapes",
                    lambda: prometheus.has(
                        'count_over_time(gilwatch_processes{group="%s"}[1m]) >= 2' % busy.comm
                    ),
                )
                books = Schedstat(work.pid)
                try:
                    begun_ns = time.monotonic_ns()
                    summary = run("summary", "-p", work.pid, "-d", 5, "--json").summary()
                    # The window is behind the last sample that is asked for.
                    count = len(prometheus.log('up{job="gilwatch"}'))
                    wait_for(
                        "the window's scrapes",
                        lambda: time.monotonic_ns() - begun_ns > 9e9
                        and len(prometheus.log('up{job="gilwatch"}')) >= count + 3,
                    )
                finally:
                    books.stop()
                yield Scraped(prometheus, exporter, busy, idle, books, summary)


def at(log, when):
    """The value at a time, between two samples in proportion."""
    for (before, low), (after, high) in zip(log, log[1:]):
        if before <= when <= after:
            return low + (high - low) * (when - before) / (after - before)
    raise AssertionError("%s is outside of %s" % (when, log))


def to_epoch(monotonic_ns):
    return time.time() - (time.monotonic_ns() - monotonic_ns) / 1e9


def test_sums_are_those_of_the_program(scraped):
    """The time on CPUs is what the kernel's own books say, and seven threads have seven seconds of
    wall a second."""
    count = SPINNERS + 1
    group = '{group="%s"}' % scraped.busy.comm
    wall = scraped.prometheus.log("gilwatch_thread_wall_seconds_total" + group)
    samples, *_ = scraped.books.samples.values()
    first_ns, last_ns = samples[0][0] + 0.5e9, samples[-1][0] - 0.5e9
    inside = [(when, value) for when, value in wall if to_epoch(first_ns) < when < to_epoch(last_ns)]
    (begin, low), (end, high) = inside[0], inside[-1]
    assert end - begin > 3
    # A sample's time is that of the scrape's begin; the look follows at once, if there is a CPU.
    assert abs((high - low) - count * (end - begin)) < 0.3 + 0.05 * count * (end - begin)

    def seconds(name, **labels):
        wanted = ",".join('%s="%s"' % pair for pair in {"group": scraped.busy.comm, **labels}.items())
        log = scraped.prometheus.log("%s{%s}" % (name, wanted))
        return at(log, end) - at(log, begin)

    states = {
        state: seconds("gilwatch_thread_state_seconds_total", state=state)
        for state in ("python", "native", "gil_wait", "held_off", "runqueue", "pipe")
    }
    assert abs(sum(states.values()) - (high - low)) < 0.05 * (high - low), states
    # The main thread sleeps in a read of its standard input, the others compute in turn.
    assert abs(states["pipe"] - (end - begin)) < 0.1 + 0.05 * (end - begin), states
    offset_ns = time.monotonic_ns() - time.time() * 1e9
    truth = sum(
        scraped.books.seconds(tid, begin * 1e9 + offset_ns, end * 1e9 + offset_ns)
        for tid in scraped.books.samples
    )
    oncpu = sum(
        seconds("gilwatch_oncpu_seconds_total", gil=gil)
        for gil in ("held", "released", "waiting", "unknown")
    )
    # schedstat's books are run and wait together: the wait is in runqueue, held_off and gil_wait.
    assert oncpu <= truth * 1.05 + 0.2, (oncpu, truth)
    # Whoever has the GIL runs, or waits for a CPU.
    held = seconds("gilwatch_held_off_seconds_total", cause="runnable")
    assert oncpu + held >= 0.5 * (end - begin), (oncpu, held)


def test_sums_are_those_of_summary(scraped):
    """Over the window that a summary looked at."""
    process = only_process(scraped.summary)
    begin, end = (
        to_epoch(scraped.summary["window"][edge]) for edge in ("start_monotonic_ns", "end_monotonic_ns")
    )
    for state in ("gil_wait", "python", "pipe"):
        log = scraped.prometheus.log(
            'gilwatch_thread_state_seconds_total{group="%s",state="%s"}' % (scraped.busy.comm, state)
        )
        value = at(log, end) - at(log, begin)
        told = process["states"][state + "_s"]
        assert abs(value - told) < 0.25 + 0.1 * told, (state, value, told)


def shortened(expression):
    return re.sub(r"\[\d+m\]", "[%s]" % WINDOW, expression)


def test_the_alert_fires_on_the_contended_program_alone(scraped):
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"][0]["rules"]
    alerts = {rule["alert"]: shortened(rule["expr"]) for rule in rules}
    contended = wait_for("GilContention", lambda: scraped.prometheus.query(alerts["GilContention"]))
    assert [labels["group"] for labels, _ in contended] == [scraped.busy.comm]
    assert scraped.prometheus.query(alerts["GilHeldWhileBlocked"]) == []
    assert scraped.prometheus.query(alerts["GilwatchDown"]) == []
    for name, expression in alerts.items():
        scraped.prometheus.query(expression)  # every one is understood


def test_recording_rules_have_data(scraped):
    rules = yaml.safe_load((DEPLOY / "prometheus" / "recording.yml").read_text())["groups"][0]["rules"]
    for rule in rules:
        found = scraped.prometheus.query(shortened(rule["expr"]))
        # Without probes there are no acquisitions to be counted.
        if "gil_acquisitions" not in rule["expr"]:
            assert found, rule["record"]


def test_every_query_of_the_dashboard_has_data(scraped):
    """Of each panel, and of the variables on top; a number, and not what stands for none."""
    dashboard = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())
    queries = [
        (panel["title"], target["expr"])
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]
    assert len(queries) >= 20
    assert all(panel["targets"] for panel in dashboard["panels"])
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["definition"]).groups()
            queries.append((variable["name"], 'group by (%s) (%s)' % (label, selector)))
    for title, expression in queries:
        expression = expression.replace("$__rate_interval", WINDOW)
        expression = expression.replace("$group", ".*").replace("$instance", ".*")
        assert "$" not in expression, expression
        wait_for(
            "%s: %s" % (title, expression),
            lambda: [
                value for _, value in scraped.prometheus.query(expression) if not math.isnan(value)
            ],
        )


def test_rules_and_their_tests():
    for words in (
        ["check", "rules", "recording.yml", "alerts.yml"],
        ["test", "rules", "rules_test.yml"],
    ):
        checked = subprocess.run(
            ["promtool", *words],
            cwd=DEPLOY / "prometheus",
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_names_in_rules_and_dashboard_are_metrics_there_are():
    """A metric that is renamed leaves none behind that asks for it in vain."""
    table = (REPOSITORY / "docs" / "metrics.md").read_text()
    known = set(re.findall(r"`((?:gilwatch|process)_[a-z_]+)`", table))
    known.add("process_vm_readv")  # a system call
    known |= {name + end for name in known for end in ("_bucket", "_sum", "_count")}
    for path in (
        DEPLOY / "prometheus" / "alerts.yml",
        DEPLOY / "prometheus" / "recording.yml",
        DEPLOY / "grafana" / "dashboard.json",
        REPOSITORY / "docs" / "exporter.md",
        REPOSITORY / "docs" / "kubernetes.md",
    ):
        for name in set(re.findall(r"(?<![:/a-z_])((?:gilwatch|process)_[a-z_]+)\b", path.read_text())):
            assert name in known, "%s in %s" % (name, path.name)
