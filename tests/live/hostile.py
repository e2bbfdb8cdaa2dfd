# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Files that are made to hurt who reads them, and a program that maps them."""

import os
import struct
import subprocess

# No Python, and under the name of its file.
MAPPER = """
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = open(argv[argc - 1], O_RDONLY);

	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		return 1;
	puts("ready");
	fflush(stdout);
	return pause();
}
"""

MIB = 1 << 20
BODY = MIB  # where the contents begin: behind all headers
NAMES_AT, SECTIONS_AT = 2048, 4096
SHT_STRTAB, SHT_DYNSYM, SHF_ALLOC = 3, 11, 2


def section(kind, offset, size, link=0):
    return struct.pack("<IIQQQQIIQQ", 0, kind, SHF_ALLOC, offset, offset, size, link, 0, 0, 0)


def write_bomb(path, size=200 * MIB):
    """A library of size bytes of symbols and as many of their names, all holes: its reader runs out of
    memory. It takes no room on a disk."""
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01",
        *(3, 62, 1),  # a shared object, of x86-64
        *(0, 64, SECTIONS_AT, 0),
        *(64, 56, 1, 64, 3, 1),
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 64 * MIB, 8 << 30, 4096)
    sections = [
        section(0, 0, 0),
        section(SHT_STRTAB, NAMES_AT, size),
        section(SHT_DYNSYM, BODY, size, link=1),
    ]
    with open(path, "wb") as file:
        file.write(header + segment)
        file.seek(SECTIONS_AT)
        file.write(b"".join(sections))
        file.truncate(8 << 30)


def build_mapper(path):
    subprocess.run(["cc", "-xc", "-o", path, "-"], input=MAPPER.encode(), check=True)


def start_mapper(program, path):
    process = subprocess.Popen([program, path], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    return process


def end(process):
    process.kill()
    process.wait()
    process.stdout.close()


class Bombs:
    """Processes that map a bomb each; "with" ends them."""

    def __init__(self, directory, name):
        self.directory = directory
        self.program = os.path.join(directory, name)
        self.processes, self.paths = [], []
        self.made = 0
        build_mapper(self.program)

    def start(self):
        """One more, that maps a file nobody has seen."""
        self.made += 1
        path = os.path.join(self.directory, 'libpython3.12\n"\x1b[2J%d.so.1.0' % self.made)
        write_bomb(path)
        self.processes.append(start_mapper(self.program, path))
        self.paths.append(path)

    def end_one(self):
        end(self.processes.pop(0))
        os.unlink(self.paths.pop(0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        while self.processes:
            self.end_one()
