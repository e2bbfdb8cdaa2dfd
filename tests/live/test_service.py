# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The files that put the exporter into service: the systemd unit, the container, the cluster.

systemd does not run here, so the unit is started as its settings can be had without it: capabilities,
no new privileges, limits of files, memory and tasks, read-only and empty directories, few devices,
filters of system calls (confine.py), the notification socket.
"""

import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import warnings

import pytest
import yaml
from confine import read_unit
from exporter import IDLE, PATIENCE_S, Exporter, Programs, assert_laws, free_port, wait_for, write_file
from harness import GILWATCH, REPOSITORY

DEPLOY = REPOSITORY / "tools" / "deploy"
UNIT = DEPLOY / "systemd" / "gilwatch.service"
CONFINE_CALLS = REPOSITORY / "tests" / "live" / "confine.py"


def test_systemd_understands_the_unit(tmp_path):
    text = UNIT.read_text().replace("/usr/local/bin/gilwatch", GILWATCH)
    unit = write_file(tmp_path, "gilwatch.service", text)
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    about_it = [line for line in checked.stderr.splitlines() if "gilwatch.service" in line]
    assert not about_it, checked.stderr
    graded = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=40", unit],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert graded.returncode == 0, graded.stdout + graded.stderr


def test_the_unit_does_not_blind_it():
    service = read_unit(UNIT)
    for blinding in "ProtectProc ProcSubset PrivateUsers PrivatePIDs PrivateBPF PrivateNetwork".split():
        assert blinding not in service, blinding
    assert service["Type"] == "notify"
    assert int(service["LimitNOFILE"]) >= 65536
    assert "$MAINPID" in service["ExecReload"]


class Systemd:
    """The end of a notification socket that systemd has."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(PATIENCE_S)

    def hears(self, state):
        while True:
            said = self.socket.recv(4096).decode()
            if state in said.split("\n"):
                return said


# What of the unit can be had without systemd; "$@" is the command.
CONFINE = """
set -e
for procs in %(procs)s; do
	echo $$ > $procs
done
mount --make-rprivate /
for place in %(hidden)s; do
	mount -t tmpfs -o ro tmpfs $place
done
mount -t tmpfs tmpfs /dev
mknod -m 666 /dev/null c 1 3
mknod -m 666 /dev/urandom c 1 9
for place in /dev /sys /proc/sys; do
	mount --rbind $place $place
	mount -o remount,bind,ro $place
done
mount -o remount,bind,ro / 2>/dev/null || true
exec setpriv --bounding-set=-all,%(capabilities)s --inh-caps=-all --no-new-privs -- "$@"
"""


@contextlib.contextmanager
def control_group(limits):
    """The files to write a process's PID into, for the limits given by controller."""
    groups = []
    for controller, (old, new, value) in limits.items():
        for place, limit in (("/sys/fs/cgroup/" + controller, old), ("/sys/fs/cgroup", new)):
            group = pathlib.Path(place, "gilwatch-test-%d" % os.getpid())
            with contextlib.suppress(OSError):
                group.mkdir(exist_ok=True)
                (group / limit).write_text(value)
                groups.append(group)
                break
            with contextlib.suppress(OSError):
                group.rmdir()
        else:
            warnings.warn("there is no control group for %s: it is not limited" % controller)
    try:
        yield groups
    finally:
        for group in set(groups):
            wait_for("nobody is in %s" % group, lambda: not (group / "cgroup.procs").read_text())
            group.rmdir()


def confinement(service, groups):
    capabilities = ",".join(
        "+" + name.lower().removeprefix("cap_")
        for name in service["CapabilityBoundingSet"].split()
        if name != "CAP_SYS_ADMIN"  # for probes by perf events alone
    )
    # Those of the homes that nothing of the test is in.
    homes = [
        home
        for home in ("/home", "/root", "/usr/lib/modules")
        if os.path.isdir(home) and not any(path.startswith(home) for path in (GILWATCH, str(REPOSITORY)))
    ]
    files = limit_of_files(service)
    settings = {
        "procs": " ".join(str(group / "cgroup.procs") for group in groups),
        "hidden": " ".join(homes),
        "capabilities": capabilities,
    }
    return [
        *("unshare", "--mount", "prlimit", "--nofile=%d:%d" % (files, files)),
        *("sh", "-c", CONFINE % settings, "sh"),
        *("/usr/bin/python3", CONFINE_CALLS, UNIT),
    ]


def limit_of_files(service):
    """The unit's, or what this machine allows, if that is less."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(int(service["LimitNOFILE"]), most)


def seccomp_filters(pid):
    with open("/proc/%s/status" % pid) as status:
        return next(int(line.split()[1]) for line in status if line.startswith("Seccomp_filters"))


def test_it_starts_and_is_scraped_under_the_units_limits(tmp_path):
    service = read_unit(UNIT)
    systemd = Systemd(tmp_path)
    config = write_file(tmp_path, "gilwatch.conf", (DEPLOY / "systemd" / "gilwatch.conf").read_text())
    limits = {
        "memory": ("memory.limit_in_bytes", "memory.max", service["MemoryMax"]),
        "pids": ("pids.max", "pids.max", service["TasksMax"]),
    }
    with Programs() as programs, control_group(limits) as groups:
        programs.start(IDLE)
        with Exporter(
            *("--config", config, "--comm", programs.comm),
            prefix=confinement(service, groups),
            env={**os.environ, "NOTIFY_SOCKET": systemd.path},
        ) as exporter:
            systemd.hears("READY=1")
            wait_for("it is found", lambda: programs.comm in exporter.scrape().groups())
            programs.start(IDLE)  # with the rights that are left
            wait_for(
                "another is found",
                lambda: exporter.scrape().get("gilwatch_processes", group=programs.comm) == 2,
            )
            metrics = exporter.scrape()
            assert_laws(metrics)
            assert metrics.get("gilwatch_targets", status="measured") == 2
            assert metrics.get("process_max_fds") == limit_of_files(service)
            assert seccomp_filters(exporter.pid) == seccomp_filters("self") + 2
            assert all(str(exporter.pid) in (group / "cgroup.procs").read_text() for group in groups)
            assert "CAP_SYS_ADMIN" not in exporter.said()
            exporter.signal(signal.SIGHUP)
            assert "MONOTONIC_USEC=" in systemd.hears("RELOADING=1")
            systemd.hears("READY=1")
            exporter.signal(signal.SIGTERM)
            systemd.hears("STOPPING=1")
            assert exporter.finish() == 0


@pytest.mark.parametrize("command", ["list", "export"])
def test_without_a_sandbox_nothing_is_passed_over_in_silence(tmp_path, command):
    """A filter that keeps it from reading any file safely is no host without Pythons."""
    options = ["--listen", "127.0.0.1:%d" % free_port()] if command == "export" else []
    unit = write_file(tmp_path, "filter", UNIT.read_text().replace(" seccomp\n", "\n"))
    with Programs() as programs:
        programs.start(IDLE).stdout.readline()
        said = subprocess.run(
            ["/usr/bin/python3", CONFINE_CALLS, unit, GILWATCH, command, *options],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
    assert said.returncode == 1, said
    assert "cannot be read in safety" in said.stderr, said


def test_the_sample_configuration_has_only_options_there_are():
    """Commented ones too."""
    text = (DEPLOY / "systemd" / "gilwatch.conf").read_text()
    told = subprocess.run([GILWATCH, "export", "--help"], capture_output=True, text=True).stdout
    options = set(re.findall(r"--([a-z-]+)", told))
    for name in re.findall(r"^#?([a-z-]+) = ", text, re.MULTILINE):
        assert name in options, name


def test_the_image_has_the_libraries():
    """The packages that Debian's own files come from, on the release that the image is of."""
    with open("/etc/os-release") as release:
        if "bookworm" not in release.read():
            pytest.skip("the image is of Debian 12, this is not")
    linked = subprocess.run(["ldd", GILWATCH], capture_output=True, text=True).stdout
    direct = subprocess.run(["readelf", "-d", GILWATCH], capture_output=True, text=True).stdout
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", direct)) - {"libc.so.6", "libm.so.6"}
    dockerfile = (DEPLOY / "docker" / "Dockerfile").read_text()
    for library in needed:
        path = re.search(re.escape(library) + r" => (\S+)", linked).group(1)
        for candidate in (os.path.realpath(path), path, path.removeprefix("/usr")):
            owner = subprocess.run(["dpkg", "-S", candidate], capture_output=True, text=True)
            if owner.returncode == 0:
                break
        package = owner.stdout.split(":")[0]
        assert re.search(r"\b%s\b" % re.escape(package), dockerfile), (library, package)


def test_the_clusters_files_fit_together():
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "daemonset.yaml").read_text()))
    kinds = {document["kind"]: document for document in documents}
    pod = kinds["DaemonSet"]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert pod["spec"]["hostPID"] is True
    security = container["securityContext"]
    assert security["privileged"] is False and security["readOnlyRootFilesystem"] is True
    granted = {"CAP_" + name for name in security["capabilities"]["add"]}
    assert granted == set(read_unit(UNIT)["CapabilityBoundingSet"].split()) - {"CAP_SYS_ADMIN"}
    (port,) = container["ports"]
    config = kinds["ConfigMap"]["data"]["gilwatch.conf"]
    assert "listen = :%d" % port["containerPort"] in config
    policy = yaml.safe_load((DEPLOY / "kubernetes" / "networkpolicy.yaml").read_text())
    assert policy["spec"]["podSelector"] == kinds["DaemonSet"]["spec"]["selector"]
    assert policy["spec"]["ingress"][0]["ports"][0]["port"] == port["containerPort"]
    json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())
    assert shutil.which("promtool")
