# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Runs a command under what a systemd unit allows of system calls, where systemd itself does not run:

    confine.py UNIT COMMAND...

The filters are systemd's own, by their effect: SystemCallFilter with the sets that systemd-analyze
tells, MemoryDenyWriteExecute, RestrictAddressFamilies, RestrictNamespaces.
"""

import configparser
import errno
import os
import socket
import subprocess
import sys

try:
    import seccomp
except ImportError:  # by whoever only reads units
    seccomp = None

PROT_WRITE, PROT_EXEC = 2, 4
CLONE_NEW = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
FAMILIES = 46  # AF_MAX of Linux 6.x


def read_unit(path):
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str
    unit.read(path)
    return unit["Service"]


def calls_of(names):
    """System calls by the names in a unit, sets among them."""
    calls = set()
    for name in names:
        if name.startswith("@"):
            told = subprocess.run(
                ["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True
            )
            inside = [line.strip() for line in told.stdout.splitlines()[1:]]
            calls |= calls_of([word for word in inside if word and word[0] != "#"])
        else:
            calls.add(name)
    return calls


def allow_calls(names):
    allowed = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    # @default is what systemd always adds.
    for call in calls_of(["@default", *names]):
        try:
            allowed.add_rule(seccomp.ALLOW, call)
        except RuntimeError:  # none of this architecture's
            pass
    return allowed


def forbid(service):
    denied = seccomp.SyscallFilter(seccomp.ALLOW)
    refused = seccomp.ERRNO(errno.EPERM)

    def has(argument, bits):
        return seccomp.Arg(argument, seccomp.MASKED_EQ, bits, bits)

    if service["MemoryDenyWriteExecute"] == "yes":
        denied.add_rule(refused, "mmap", has(2, PROT_WRITE | PROT_EXEC))
        denied.add_rule(refused, "mprotect", has(2, PROT_EXEC))
    if service["RestrictNamespaces"] == "yes":
        for flag in CLONE_NEW:
            denied.add_rule(refused, "clone", has(0, flag))
        denied.add_rule(refused, "unshare")
        denied.add_rule(refused, "setns")
        denied.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    families = {getattr(socket, name, None) for name in service["RestrictAddressFamilies"].split()}
    for family in set(range(FAMILIES)) - families:
        denied.add_rule(
            seccomp.ERRNO(errno.EAFNOSUPPORT), "socket", seccomp.Arg(0, seccomp.EQ, family)
        )
    return denied


def main():
    service = read_unit(sys.argv[1])
    # What it takes to load the second one, and to go on to the command, is in the first.
    allowed = allow_calls(service["SystemCallFilter"].split())
    denied = forbid(service)
    denied.load()
    allowed.load()
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
