// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Attaches the programs of an object file, says so, and detaches them when a signal ends it. */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct bpf_object *object = argc == 2 ? bpf_object__open_file(argv[1], NULL) : NULL;
	struct bpf_program *program;

	if (!object || bpf_object__load(object)) {
		fprintf(stderr, "empty: the program cannot be loaded\n");
		return 1;
	}
	bpf_object__for_each_program(program, object)
	{
		if (bpf_program__attach(program))
			continue;
		fprintf(stderr, "empty: the program cannot be attached\n");
		return 1;
	}
	fprintf(stderr, "attached\n");
	pause();
	return 0;
}
