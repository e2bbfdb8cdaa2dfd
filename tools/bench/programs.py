# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs the programs of programs/ and asks them what they have counted."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time

from observers import BUILD, HERE, NotAtHand, peer

PROGRAMS = HERE / "programs"
START_S = 60


class Program:
    """A program in steady state; "with" ends it. words: what runs Python; root: where it runs."""

    def __init__(self, name, *args, words, root="/"):
        self.root, self.copy = root, None
        folder = str(PROGRAMS)
        if root != "/":
            self.copy = tempfile.mkdtemp(prefix="gilwatch-bench-", dir=root + "/tmp")
            shutil.copytree(PROGRAMS, self.copy, dirs_exist_ok=True)
            folder = self.copy[len(root) :]
        script = [os.path.join(folder, name + ".py")] if words else []
        command = [*words, *script, *args] if words else [BUILD / "bench" / name]
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        self.facts = self.answer()
        self.pid = self.facts["pid"]

    def answer(self):
        timer = threading.Timer(START_S, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line:
            raise NotAtHand("the program ended: " + " ".join(map(str, self.process.args)))
        return json.loads(line)

    def ask(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        return self.answer()

    def over(self, seconds):
        """How its figures grew in that time, t_ns too."""
        before = self.ask()
        time.sleep(seconds)
        after = self.ask()
        return {name: after[name] - before[name] for name in after}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        if self.copy:
            shutil.rmtree(self.copy, ignore_errors=True)


def rate(program, seconds):
    grown = program.over(seconds)
    return {"rate": grown["count"] * 1e9 / grown["t_ns"]}


UNITS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


def under_wrk(program, seconds):
    """Requests a second and the 99th percentile of the latency, as wrk sees them."""
    url = "http://127.0.0.1:%d/" % program.facts["port"]
    command = [peer("wrk"), "-t1", "-c16", "-d%ds" % max(1, round(seconds)), "--latency", url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    requests = re.search(r"Requests/sec:\s+([\d.]+)", said)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", said)
    return {"rate": float(requests.group(1)), "p99": float(p99.group(1)) * UNITS_S[p99.group(2)]}
