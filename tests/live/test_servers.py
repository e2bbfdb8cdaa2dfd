# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Web servers that run Python, by the PID of a worker, under load on loopback. Two of the three are
no python by name: a library with the interpreter is all that there is of it."""

import contextlib
import glob
import http.client
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pytest
from harness import HERE, SYSTEM_PYTHON, Gilwatch, only_process
from laws import Findings, find_laws
from measure import BOTH

APPLICATION = HERE / "workloads" / "wsgi.py"
CLIENTS = 2
WINDOW_S = 2
READY_S = 20
MODULES = "/usr/lib/apache2/modules/"
APACHE = """
ServerName localhost
ServerRoot {directory}
PidFile {directory}/pid
ErrorLog {directory}/log
Listen 127.0.0.1:{port}
LoadModule mpm_event_module {modules}mod_mpm_event.so
LoadModule authz_core_module {modules}mod_authz_core.so
LoadModule wsgi_module {wsgi}
User www-data
Group www-data
WSGISocketPrefix {directory}/wsgi
WSGIDaemonProcess gilwatch processes=1 threads=2
WSGIProcessGroup gilwatch
WSGIScriptAlias / {directory}/wsgi.py
<Directory {directory}>
    Require all granted
</Directory>
"""


def gunicorn(directory, port):
    return [
        *(SYSTEM_PYTHON, "/usr/bin/gunicorn", "--chdir", directory, "--bind", "127.0.0.1:%d" % port),
        *("--workers", "1", "--threads", "2", "wsgi:application"),
    ]


def uwsgi(directory, port):
    return [
        *("/usr/bin/uwsgi-core", "--plugin", "python3", "--http-socket", "127.0.0.1:%d" % port),
        *("--chdir", directory, "--wsgi-file", "wsgi.py", "--need-app", "--disable-logging"),
        *("--master", "--processes", "1", "--threads", "2", "--die-on-term"),
    ]


def apache(directory, port):
    wsgi = sorted(glob.glob(MODULES + "mod_wsgi.so*"))
    if not wsgi:
        return [MODULES + "mod_wsgi.so"]
    configuration = os.path.join(directory, "apache.conf")
    with open(configuration, "w") as file:
        file.write(APACHE.format(directory=directory, port=port, modules=MODULES, wsgi=wsgi[-1]))
    return ["/usr/sbin/apache2", "-f", configuration, "-D", "FOREGROUND"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Client:
    """One connection a request, as servers without keep-alive have it."""

    def __init__(self, port):
        self.port = port

    def get(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", "/")
            answer = connection.getresponse()
            body = answer.read()
        assert answer.status == 200, "%d: %s" % (answer.status, body)
        return int(body)


class Server:
    """A server with its own files, killed with all of its processes at the end of "with"."""

    def __init__(self, kind):
        # Workers may run as somebody else, who cannot read everywhere.
        self.directory = tempfile.mkdtemp(prefix="gilwatch-live-", dir="/tmp")
        os.chmod(self.directory, 0o755)
        shutil.copy(APPLICATION, self.directory)
        self.port = free_port()
        command = kind(self.directory, self.port)
        self.log = open(os.path.join(self.directory, "log"), "ab")
        self.process = None
        missing = [word for word in command[:2] if word.startswith("/") and not os.path.exists(word)]
        if missing:
            self.close()
            pytest.skip("no %s here" % missing[0])
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, process_group=0
        )

    def wait_for_worker(self):
        """Returns the PID of the process that answers."""
        end = time.monotonic() + READY_S
        while True:
            try:
                return Client(self.port).get()
            except (OSError, AssertionError, http.client.HTTPException) as error:
                if time.monotonic() > end or self.process.poll() is not None:
                    with open(self.log.name) as log:
                        said = log.read()[:2000]
                    raise AssertionError("no answer (%s): %s" % (error, said)) from None
                time.sleep(0.05)

    def close(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.directory)


class Load:
    """Clients that ask again and again, until the end of "with" or of a minute."""

    LIMIT_S = 60

    def __init__(self, port):
        self.over = threading.Event()
        self.answers = []  # when each came, on the monotonic clock
        self.errors = []
        self.threads = [threading.Thread(target=self.ask, args=(port,)) for _ in range(CLIENTS)]
        self.until = time.monotonic() + self.LIMIT_S

    def ask(self, port):
        client = Client(port)
        while not self.over.is_set() and time.monotonic() < self.until:
            try:
                client.get()
                self.answers.append(time.monotonic_ns())
            except (OSError, AssertionError, http.client.HTTPException) as error:
                self.errors.append(error)
                break

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def check_process(findings, process, engine, requests):
    """Each request is a millisecond of Python in a thread that took the GIL for it."""
    findings.true(
        "engine %s became %s: %s" % (engine, process["engine"], process["engine_changes"]),
        process["engine"] == engine,
    )
    findings.at_least(engine + ": time in Python", process["states"]["python_s"], 0.0009 * requests)
    findings.at_least(engine + ": threads", len(process["threads"]), 2)
    if engine == "uprobe":
        acquisitions = sum(gil["acquisitions"] for gil in process["gils"])
        findings.at_least("acquisitions", acquisitions, requests)


@pytest.mark.parametrize("kind", [gunicorn, uwsgi, apache])
def test_worker_under_load(kind):
    findings = Findings()
    with contextlib.closing(Server(kind)) as server:
        worker = server.wait_for_worker()
        assert worker != server.process.pid
        with Load(server.port) as load:
            command = ["summary", "-p", worker, "-d", WINDOW_S, "--json"]
            runs = {engine: Gilwatch(*command, "--engine=" + engine) for engine in BOTH}
            answers = {engine: gilwatch.finish(30) for engine, gilwatch in runs.items()}
        assert not load.errors, load.errors
        for engine, answer in answers.items():
            summary = answer.summary()
            find_laws(findings, summary)
            window = summary["window"]
            # Its answer came within the window, but it may have begun before, one a client.
            requests = -CLIENTS + sum(
                window["start_monotonic_ns"] <= at <= window["end_monotonic_ns"] for at in load.answers
            )
            findings.at_least(engine + ": requests in the window", requests, 50)
            check_process(findings, only_process(summary), engine, requests)
    findings.report()


@pytest.mark.parametrize("engine", BOTH)
@pytest.mark.parametrize("kind", [gunicorn, uwsgi])
def test_worker_by_its_master(kind, engine):
    """Who knows the server's PID sees the worker: a row of its own, with all that is asked of it."""
    findings = Findings()
    with contextlib.closing(Server(kind)) as server:
        worker, master = server.wait_for_worker(), server.process.pid
        with Load(server.port) as load:
            command = ["summary", "-p", master, "-d", WINDOW_S, "--json"]
            summary = Gilwatch(*command, "--engine=" + engine).finish(30).summary()
        assert not load.errors, load.errors
    find_laws(findings, summary)
    assert only_process(summary)["pid"] == master
    (found,) = [process for process in summary["processes"] if process["child"]]
    assert found["pid"] == worker and found["ppid"] == master
    window = summary["window"]
    requests = -CLIENTS + sum(
        window["start_monotonic_ns"] <= at <= window["end_monotonic_ns"] for at in load.answers
    )
    findings.at_least("requests in the window", requests, 50)
    check_process(findings, found, engine, requests)
    findings.report()
