# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the benchmark ran on, without anything that tells whose machine it is."""

import os
import platform
import re
import shutil
import subprocess

from observers import GILWATCH, NotAtHand, kept_interpreters, peer

VERSION = re.compile(r"\d+(?:\.\d+)+")


def cpu_model():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def is_virtual():
    return any("hypervisor" in line for line in open("/proc/cpuinfo") if line.startswith("flags"))


def version_of(*command):
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except OSError:
        return None
    found = VERSION.search(asked.stdout + asked.stderr)
    return found.group(0) if found else None


def version_of_peer(name, *options):
    try:
        return version_of(peer(name), *(options or ("--version",)))
    except NotAtHand:
        return None


def describe(python):
    kernel = VERSION.search(platform.release())
    tools = {name: version_of_peer(name) for name in ("bpftrace", "py-spy", "austin")}
    tools["wrk"] = version_of_peer("wrk", "-v")
    kept = kept_interpreters().get("3.15-sid")
    tools["python 3.15"] = version_of(*kept, "--version") if kept else None
    return {
        "cpu": cpu_model(),
        "cpus": len(os.sched_getaffinity(0)),
        "virtual": is_virtual(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": kernel.group(0) if kernel else platform.release(),
        "python": version_of(*python, "--version"),
        "gilwatch": version_of_gilwatch(),
        "tools": tools,
    }


def version_of_gilwatch():
    return version_of(GILWATCH, "--version")


def find_python():
    """A Python with symbols: without them the bpftrace script has nothing to hold on to. pyenv's
    have them, and the newest that all samplers know is 3.12."""
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    for version in ("3.12", "3.11", "3.13", "3.10"):
        versions = os.path.join(root, "versions")
        names = sorted(os.listdir(versions)) if os.path.isdir(versions) else []
        for name in reversed(names):
            if name.startswith(version + "."):
                return [os.path.join(versions, name, "bin", "python" + version)]
    return [shutil.which("python3", path="/usr/bin:/bin") or "python3"]
