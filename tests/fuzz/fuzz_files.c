// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * fuzz_files SECONDS SEED FILE...: damages the files in places that matter, again and again, and
 * reads each as gilwatch would, but without the sandbox: a crash is to be seen. What the seed is,
 * the run is. Best built with -fsanitize=address,undefined (see tests/fuzz/README.md).
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "target/runtime_symbols.h"
#include "target/sites.h"

#define SECTIONS_MAX 256
#define WOUNDS_MAX   8
/* Far above the second or two after which the sandbox ends a reader, on a slow machine as well. */
#define TOO_LONG_S 20

struct region {
	uint64_t offset, size;
};

struct sample {
	int fd;
	uint64_t size;
	size_t region_count;
	struct region region[SECTIONS_MAX + 2];
};

/* What was there before, to be put back. */
struct wound {
	uint64_t offset;
	uint8_t before[8];
};

struct tally {
	struct gw_disassembler disassembler;
	unsigned long rounds, runtimes, sites;
	double longest_s;
};

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void add_region(struct sample *sample, uint64_t offset, uint64_t size)
{
	if (size >= 8 && size <= sample->size && offset <= sample->size - size)
		sample->region[sample->region_count++] = (struct region){offset, size};
}

/* Headers, and each section: a small one is hit as often as .text is. */
static int find_regions(struct sample *sample)
{
	Elf64_Ehdr header;
	Elf64_Shdr section;

	if (pread(sample->fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	add_region(sample, 0, 1024);
	add_region(sample, header.e_shoff, (uint64_t)header.e_shnum * sizeof(section));
	for (unsigned int i = 0; i < header.e_shnum && i < SECTIONS_MAX; i++) {
		off_t at = (off_t)(header.e_shoff + i * sizeof(section));

		if (pread(sample->fd, &section, sizeof(section), at) == (ssize_t)sizeof(section) &&
		    section.sh_type != SHT_NOBITS)
			add_region(sample, section.sh_offset, section.sh_size);
	}
	return sample->region_count > 2 ? 0 : -EINVAL; /* the first two are the headers */
}

static int open_sample(struct sample *sample, const char *path)
{
	int from = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;

	if (from < 0 || fstat(from, &status))
		return -errno;
	*sample = (struct sample){.fd = memfd_create("fuzz", MFD_CLOEXEC),
				  .size = (uint64_t)status.st_size};
	while (sendfile(sample->fd, from, NULL, sample->size) > 0)
		;
	close(from);
	return find_regions(sample);
}

/* A few bytes, or a number of the size that lengths and offsets have. */
static void hurt(const struct sample *sample, uint64_t *seed, struct wound *wound)
{
	static const uint64_t telling[] = {
		0,    1,	  4,	      0x7f,	  0x80,	      0xff,	 0xffff,
		4096, 0x7fffffff, 0x80000000, 0xffffffff, 1ULL << 32, INT64_MAX, UINT64_MAX};
	const struct region *region =
		&sample->region[next_random(seed) %
				(next_random(seed) % 2 ? sample->region_count : 2)];
	uint64_t value = next_random(seed);
	size_t width = (size_t)1 << next_random(seed) % 4;

	wound->offset = region->offset + next_random(seed) % (region->size - 7);
	if (next_random(seed) % 2)
		wound->offset &= ~(uint64_t)7;
	if (next_random(seed) % 2)
		value = telling[value % (sizeof(telling) / sizeof(telling[0]))];
	if (pread(sample->fd, wound->before, 8, (off_t)wound->offset) != 8 ||
	    (wound->offset >= 6 &&
	     pwrite(sample->fd, &value, width, (off_t)wound->offset) != (ssize_t)width))
		abort();
}

static void read_sample(const struct sample *sample, struct tally *tally)
{
	const struct gw_sites_files files = {
		.file = sample->fd,
		.debug = {sample->fd, -1},
		.disassembler = &tally->disassembler,
	};
	static struct gw_runtime_symbols symbols;
	static struct gw_sites sites;
	struct gw_error err = {0};
	double start = cpu_seconds();

	tally->rounds++;
	tally->runtimes += !gw_runtime_symbols_read(sample->fd, &symbols) && symbols.runtime;
	if (!gw_sites_find(&files, &sites, &err))
		tally->sites++;
	else if (!err.text[0])
		abort(); /* a refusal without a sentence */
	start = cpu_seconds() - start;
	if (start > tally->longest_s)
		tally->longest_s = start;
}

static void one_round(const struct sample *sample, uint64_t *seed, struct tally *tally)
{
	struct wound wound[WOUNDS_MAX];
	size_t count = 1 + next_random(seed) % WOUNDS_MAX;

	for (size_t i = 0; i < count; i++)
		hurt(sample, seed, &wound[i]);
	read_sample(sample, tally);
	/* Backwards: a later one may lie over an earlier. */
	for (size_t i = count; i-- > 0;)
		if (pwrite(sample->fd, wound[i].before, 8, (off_t)wound[i].offset) != 8)
			abort();
}

int main(int argc, char **argv)
{
	double end = argc > 1 ? strtod(argv[1], NULL) : 0;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) | 1 : 1;
	struct tally tally = {0};
	struct gw_error err = {0};
	struct sample *sample;
	int count = 0;

	sample = calloc((size_t)argc, sizeof(*sample));
	for (int i = 3; sample && i < argc; i++)
		count += !open_sample(&sample[count], argv[i]);
	if (!count) {
		fprintf(stderr, "usage: fuzz_files SECONDS SEED FILE...\n");
		return 2;
	}
	if (gw_disassembler_load(&tally.disassembler, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	while (cpu_seconds() < end)
		one_round(&sample[tally.rounds % (unsigned int)count], &seed, &tally);
	printf("%d files, %lu rounds: a runtime found in %lu, sites in %lu, longest %.0f ms\n",
	       count, tally.rounds, tally.runtimes, tally.sites, tally.longest_s * 1e3);
	gw_disassembler_unload(&tally.disassembler);
	free(sample);
	return tally.longest_s > TOO_LONG_S;
}
