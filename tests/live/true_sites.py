# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The GIL's call sites in a file, from its symbols and a disassembly by binutils; and what gilwatch's
finder says of the same file."""

import functools
import os
import pathlib
import re
import subprocess

from harness import GILWATCH, debug_file

FINDER = str(pathlib.Path(GILWATCH).parent / "tests" / "sites")
TAKE = re.compile(r"take_gil(\.|$)")
DROP = re.compile(r"drop_gil(_impl)?(\.|$)")
SECTION = re.compile(r"Disassembly of section (\S+):")
SIGNAL = re.compile(r"\s*([0-9a-f]+):.*<pthread_cond_signal[@>]")
# What BOLT leaves of the code that it has laid out anew: no symbol names it, and it runs no more.
DEAD = re.compile(r"] (\.bolt\.org\.\S+)\s+PROGBITS\s+\w+ (\w+) (\w+)")
LOAD = re.compile(r"LOAD\s+(0x\w+) (0x\w+) 0x\w+ (0x\w+)")


def ask(*command):
    environment = dict(os.environ, LC_ALL="C")
    answer = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert answer.returncode == 0, "%s: %s" % (" ".join(command), answer.stderr)
    return answer.stdout


def build_id(file):
    found = re.search(r"Build ID: (\w+)", ask("readelf", "-nW", file))
    return found.group(1) if found else ""


def symbols_of(file):
    """The file that has the symbols: itself or its debug file; None if there is none."""
    if ".symtab" in ask("readelf", "-SW", file):
        return file
    return debug_file(build_id(file))


def functions(symbols):
    """[(start, end, name)] of take_gil, drop_gil and their parts and clones."""
    found = []
    for line in ask("nm", "--defined-only", "-S", symbols).splitlines():
        fields = line.split()
        if len(fields) == 4 and fields[2] in "tT" and (TAKE.match(fields[3]) or DROP.match(fields[3])):
            start, size = int(fields[0], 16), int(fields[1], 16)
            found.append((start, start + size, fields[3]))
    return found


def signals(file):
    """The addresses of what calls or jumps to pthread_cond_signal, but for the stubs on the way."""
    section, found = "", []
    for line in ask("objdump", "-dw", "--no-show-raw-insn", file).splitlines():
        heading = SECTION.match(line)
        if heading:
            section = heading.group(1)
        elif not section.startswith((".plt", ".bolt.org")):
            signal = SIGNAL.match(line)
            if signal:
                found.append(int(signal.group(1), 16))
    return found


def file_offset(segments, address):
    (offset,) = [
        address - start + offset for offset, start, size in segments if start <= address < start + size
    ]
    return offset


class Sites:
    def __init__(self, how, acquire, release):
        self.how, self.acquire, self.release = how, sorted(acquire), sorted(release)

    def __eq__(self, other):
        return (self.acquire, self.release) == (other.acquire, other.release)

    def __repr__(self):
        return "acquire %s, release %s (%s)" % (self.acquire, self.release, self.how)


@functools.lru_cache(maxsize=None)
def true_sites(file, symbols):
    """The sites by symbols, and how many of the releases are outside of drop_gil."""
    segments = [
        tuple(int(number, 16) for number in load) for load in LOAD.findall(ask("readelf", "-lW", file))
    ]
    named = functions(symbols)
    sites, outside = {"acquire": [], "release": []}, 0
    for address in signals(file):
        names = [name for start, end, name in named if start <= address < end]
        kind = "acquire" if any(map(TAKE.match, names)) else "release"
        sites[kind].append(file_offset(segments, address))
        outside += not names
    return Sites("truth", **sites), outside


def found_sites(file):
    """What gilwatch finds in the file, in code that can run."""
    assert os.access(FINDER, os.X_OK), "there is no %s: make live-helpers" % FINDER
    how, *lines = ask(FINDER, file).splitlines()
    dead = [(int(at, 16), int(size, 16)) for _, at, size in DEAD.findall(ask("readelf", "-SW", file))]
    sites = {"acquire": [], "release": []}
    for line in lines:
        kind, offset = line.split()
        if not any(at <= int(offset) < at + size for at, size in dead):
            sites[kind].append(int(offset))
    return Sites(how, **sites)
