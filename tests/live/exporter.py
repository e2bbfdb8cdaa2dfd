# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""An exporter under test, programs for it to find, and what it serves."""

import contextlib
import http.client
import importlib.util
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from harness import GILWATCH, SYSTEM_PYTHON

PATIENCE_S = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, condition):
    """Wait until condition() is true, which it returns."""
    end = time.monotonic() + PATIENCE_S
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, "waited in vain: " + what
        time.sleep(0.05)


class Exporter:
    """A running `gilwatch export`; "with" ends it whatever happens."""

    def __init__(self, *args, prefix=(), **options):
        self.port = free_port()
        self.err = tempfile.TemporaryFile()
        command = [*prefix, GILWATCH, "export", "--listen", "127.0.0.1:%d" % self.port]
        self.process = subprocess.Popen(
            [*command, *[str(arg) for arg in args]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.err,
            **options,
        )
        self.pid = self.process.pid
        try:
            wait_for("the exporter is ready", self.is_ready)
        except BaseException:
            self.kill()
            raise

    def is_ready(self):
        assert self.process.poll() is None, self.said()
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def said(self):
        self.err.seek(0)
        return self.err.read().decode(errors="replace")

    def request(self, method, path, **headers):
        """Status, headers and body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        with contextlib.closing(connection):
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def get(self, path, **headers):
        return self.request("GET", path, **headers)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)

    def text(self):
        time.sleep(0.11)  # whoever asks within 100 ms gets the answer before
        status, _, body = self.get("/metrics")
        assert status == 200, body
        return body.decode()

    def scrape(self):
        return Metrics(self.text())

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.pid))

    def resident_kib(self):
        with open("/proc/%d/status" % self.pid) as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def signal(self, number):
        self.process.send_signal(number)

    def finish(self):
        """Exit status."""
        return self.process.wait(PATIENCE_S)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


def need_parser():
    """Ends a tool whose Python lacks what Metrics needs."""
    if not importlib.util.find_spec("prometheus_client"):
        sys.exit(
            "%s has no prometheus_client to read the metrics with: "
            "take /usr/bin/python3, with Debian's python3-prometheus-client" % sys.executable
        )


class Metrics:
    """One scrape, read by the parser of Prometheus' own Python client."""

    def __init__(self, text):
        from prometheus_client.parser import text_string_to_metric_families

        self.samples = {}
        self.kinds = {}
        for family in text_string_to_metric_families(text):
            self.kinds[family.name] = family.type
            for sample in family.samples:
                key = sample.name, frozenset(sample.labels.items())
                assert key not in self.samples, "twice: %s %s" % key
                self.samples[key] = sample.value
                if family.type == "counter" or sample.name.endswith(("_bucket", "_count", "_sum")):
                    assert sample.value >= 0, key

    def get(self, name, **labels):
        """The value of the one sample with exactly these labels; None: there is none."""
        return self.samples.get((name, frozenset(labels.items())))

    def all(self, name, **labels):
        """Label dictionaries and values of all samples that have these labels among theirs."""
        wanted = set(labels.items())
        return [
            (dict(found), value)
            for (sample, found), value in self.samples.items()
            if sample == name and wanted <= found
        ]

    def sum(self, name, **labels):
        return sum(value for _, value in self.all(name, **labels))

    def by(self, name, label, **labels):
        return {found[label]: value for found, value in self.all(name, **labels)}

    def groups(self):
        return set(self.by("gilwatch_processes", "group"))


def is_cumulative(name):
    return name.endswith(("_total", "_bucket", "_count", "_sum"))


def assert_nothing_fell(before, after, own=True):
    """own: the series of single processes too."""
    for key, value in before.samples.items():
        if is_cumulative(key[0]) and (own or "pid" not in dict(key[1])):
            assert after.samples.get(key, -1) >= value, "%s: %s, then %s" % (
                key,
                value,
                after.samples.get(key),
            )


def assert_laws(metrics):
    """What must hold in every scrape, whatever was measured."""
    for group in metrics.groups():
        wall = metrics.get("gilwatch_thread_wall_seconds_total", group=group)
        states = metrics.by("gilwatch_thread_state_seconds_total", "state", group=group)
        assert abs(sum(states.values()) - wall) <= 1e-6 * len(states), (group, wall, states)
        waiting = metrics.sum("gilwatch_gil_wait_by_holder_seconds_total", group=group)
        assert abs(waiting - states["gil_wait"]) <= 1e-6 * len(states), (
            group,
            waiting,
            states["gil_wait"],
        )
        held = metrics.by("gilwatch_held_off_seconds_total", "cause", group=group)
        assert abs(sum(held.values()) - states["held_off"]) <= 1e-6 * len(states)
        oncpu = metrics.by("gilwatch_oncpu_seconds_total", "gil", group=group)
        assert oncpu["held"] == states["python"] and oncpu["released"] == states["native"]


# --- programs ---------------------------------------------------------------------------------


class Programs:
    """Pythons under a command name of their own, so that an exporter can be told to watch these and
    no other; "with" ends them."""

    def __init__(self, name=None):
        self.directory = tempfile.mkdtemp(prefix="gilwatch-programs-")
        self.name = name or b"gwt%d" % (time.monotonic_ns() % 10**9)
        self.python = os.path.join(os.fsencode(self.directory), self.name)
        os.symlink(SYSTEM_PYTHON, self.python)
        self.processes = []

    @property
    def comm(self):
        return self.name.decode(errors="surrogateescape")

    def start(self, code, *args):
        process = subprocess.Popen(
            [self.python, "-c", code, *[str(arg) for arg in args]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,
        )
        self.processes.append(process)
        return process

    def end(self):
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait()
            process.stdin.close()
            process.stdout.close()
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
        shutil.rmtree(self.directory)


SPIN = """
import sys, threading
def spin():
    while True:
        pass
for _ in range(int(sys.argv[1])):
    threading.Thread(target=spin, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
"""

IDLE = """
import sys
print("ready", flush=True)
sys.stdin.read()
"""

# A life of threads, and of a child by fork, in half a second.
BRIEF = """
import os, threading, time
def live():
    for _ in range(20):
        time.sleep(0.005)
child = os.fork()
threads = [threading.Thread(target=live) for _ in range(5)]
for thread in threads: thread.start()
for thread in threads: thread.join()
if child:
    os.waitpid(child, 0)
    time.sleep(0.2)
"""


def write_file(directory, name, text):
    path = pathlib.Path(directory, name)
    path.write_text(text)
    return path
