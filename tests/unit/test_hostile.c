// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Files made to hurt who reads them, through the sandbox as gilwatch reads them: each must be
 * refused (or found harmless) with a sentence, within the limits, and without a crash.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "target/file_reader.h"
#include "target/python.h"

#define GIB	     (1ULL << 30)
#define SECTIONS_MAX 3000
#define BODY	     (1ULL << 20) /* where the contents begin: behind all headers */

/* ---- a file, by its headers ---- */

struct file {
	Elf64_Ehdr header;
	Elf64_Phdr segment[4];
	size_t section_count;
	Elf64_Shdr section[SECTIONS_MAX];
	uint64_t size;
	int uncounted; /* e_shnum stays 0 */
	int fd;
};

static const char names[] = "\0.eh_frame\0.gnu_debugdata\0.text\0.rodata\0PyEval_SaveThread";

static uint32_t name_at(const char *name)
{
	for (uint32_t i = 0; i < sizeof(names); i++)
		if (i && strcmp(names + i, name) == 0)
			return i;
	return 0;
}

static Elf64_Shdr *add_section(struct file *file, uint32_t type, const char *name, uint64_t offset,
			       uint64_t size)
{
	Elf64_Shdr *section = &file->section[file->section_count++];

	assert_true(file->section_count <= SECTIONS_MAX);
	*section = (Elf64_Shdr){
		.sh_name = name_at(name),
		.sh_type = type,
		.sh_flags = SHF_ALLOC,
		.sh_addr = offset,
		.sh_offset = offset,
		.sh_size = size,
	};
	return section;
}

/* A library whose one segment is the whole file, size bytes of nothing but holes. */
static struct file *make(uint64_t size)
{
	struct file *file = calloc(1, sizeof(*file));

	file->size = size;
	file->fd = memfd_create("test_hostile", MFD_CLOEXEC);
	file->header = (Elf64_Ehdr){
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_shoff = 4096,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shstrndx = 1,
	};
	file->segment[0] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_filesz = size < 64 << 20 ? size : 64 << 20,
		.p_memsz = size,
	};
	add_section(file, SHT_NULL, "", 0, 0);
	add_section(file, SHT_STRTAB, "", 2048, sizeof(names));
	return file;
}

static void put(const struct file *file, uint64_t offset, const void *bytes, size_t size)
{
	assert_int_equal(pwrite(file->fd, bytes, size, (off_t)offset), size);
}

static void finish(struct file *file)
{
	if (!file->uncounted)
		file->header.e_shnum = (uint16_t)file->section_count;
	assert_int_equal(ftruncate(file->fd, (off_t)file->size), 0);
	put(file, 0, &file->header, sizeof(file->header));
	put(file, sizeof(file->header), file->segment, sizeof(file->segment));
	put(file, 2048, names, sizeof(names));
	put(file, 4096, file->section, file->section_count * sizeof(file->section[0]));
}

/* Reads it as a runtime and as a holder of call sites: refused in both, within the limits. */
static void check_refused(struct file *file, const char *what)
{
	const struct gw_sites_files files = {.file = file->fd, .debug = {file->fd, -1}};
	struct gw_symbols_request request = {.fd = file->fd};
	struct gw_sandbox_use use = {0};
	struct gw_error err = {0};
	struct gw_sites sites;
	int code;

	finish(file);
	assert_int_equal(gw_files_read_symbols(NULL, &request, 1, NULL, &use, &err), 0);
	assert_true(request.code < 0 || !request.symbols.runtime);
	code = gw_file_find_sites(&files, "the file x of process 1", &sites, NULL, &use, &err);
	print_message("%-40s %6.1f ms CPU, %6.1f MiB: %d, %d: %s\n", what, (double)use.cpu_us / 1e3,
		      (double)use.peak_kib / 1024, request.code, code, err.text);
	/* A crash that is caught is one all the same. */
	assert_true(code < 0 && code != -EBADMSG && request.code != -EBADMSG);
	assert_int_equal(sites.count, 0);
	assert_true(err.text[0] && err.status == GW_STATUS_TARGET);
	/* Two readings of a second each at most; the tests' own memory comes to that of the
	 * readers. */
	assert_true(use.cpu_us < 2500000);
	assert_true(use.peak_kib < (256 + 64) * 1024);
	close(file->fd);
	free(file);
}

/* ---- the files ---- */

static void test_sparse(void **state)
{
	struct file *file = make(8 * GIB);

	(void)state;
	file->segment[0].p_filesz = 8 * GIB;
	check_refused(file, "8 GiB of code, all holes");
	file = make(8 * GIB);
	add_section(file, SHT_DYNSYM, "", BODY, 4 * GIB)->sh_link = 1;
	check_refused(file, "4 GiB of symbols");
	file = make(8 * GIB);
	add_section(file, SHT_DYNSYM, "", BODY, 200 << 20)->sh_link = 1;
	file->section[1].sh_size = 200 << 20;
	check_refused(file, "200 MiB of symbols, and of their names");
	file = make(8 * GIB);
	add_section(file, SHT_NOTE, "", BODY, 4 * GIB);
	file->segment[1] = (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = BODY, .p_filesz = 4 * GIB};
	check_refused(file, "4 GiB of notes");
}

static void test_many_sections(void **state)
{
	struct file *file = make(1ULL << 40);

	(void)state;
	file->section[0].sh_size = UINT32_MAX; /* their number, where e_shnum is 0 */
	file->uncounted = 1;
	check_refused(file, "2^32 sections");
	/* All of them over the same bytes. */
	file = make(GIB);
	while (file->section_count < SECTIONS_MAX)
		add_section(file, SHT_RELA, "", BODY, 200 << 20);
	check_refused(file, "3,000 relocation tables of 200 MiB");
	file = make(GIB);
	while (file->section_count < SECTIONS_MAX)
		add_section(file, SHT_NOTE, "", BODY, 60 << 10);
	check_refused(file, "3,000 blocks of notes");
}

/* Text that is looked through for a version: each section is of a size that a Python may have. */
static void test_read_only_data(void **state)
{
	const Elf64_Sym symbols[2] = {
		{0},
		{.st_name = name_at("PyEval_SaveThread"),
		 .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
		 .st_shndx = 1,
		 .st_value = BODY,
		 .st_size = 16},
	};
	struct file *file = make(GIB);
	struct gw_symbols_request request = {.fd = file->fd};
	struct gw_sandbox_use use = {0};

	(void)state;
	add_section(file, SHT_DYNSYM, "", BODY, sizeof(symbols))->sh_link = 1;
	while (file->section_count < SECTIONS_MAX)
		add_section(file, SHT_PROGBITS, ".rodata", 2 * BODY, 60 << 20);
	finish(file);
	put(file, BODY, symbols, sizeof(symbols));
	assert_int_equal(gw_files_read_symbols(NULL, &request, 1, NULL, &use, NULL), 0);
	print_message("3,000 sections of text: %.1f ms CPU\n", (double)use.cpu_us / 1e3);
	assert_int_equal(request.code, 0);
	assert_true(request.symbols.old_python);
	close(file->fd);
	free(file);
}

/* An .eh_frame whose entries lead to each other. */
static void test_cycles(void **state)
{
	static const uint32_t to_itself[] = {20, 4, 0x1000, 16, 0, 0};
	struct file *file = make(64 << 20);
	uint32_t *table;
	size_t i, words = (16 << 20) / 4;

	(void)state;
	add_section(file, SHT_PROGBITS, ".eh_frame", BODY, 16 << 20);
	put(file, BODY, to_itself, sizeof(to_itself));
	check_refused(file, "an FDE that is its own CIE");

	/* As many entries as fit, each said to belong to the one before it. */
	file = make(64 << 20);
	add_section(file, SHT_PROGBITS, ".eh_frame", BODY, 16 << 20);
	table = malloc(words * 4);
	for (i = 0; i + 4 <= words; i += 4) {
		table[i] = 12;
		table[i + 1] = i ? 4 + 16 : 0;
		table[i + 2] = (uint32_t)i;
		table[i + 3] = 8;
	}
	put(file, BODY, table, words * 4);
	check_refused(file, "a million FDEs, none with a CIE");
	/* And a million that have one, of overlapping functions in 64 MiB of code. */
	table[0] = 12;
	table[1] = 0;
	table[2] = 1;	     /* version 1, no augmentation */
	table[3] = 0x107801; /* alignments, return register */
	for (i = 4; i + 6 <= words; i += 6) {
		uint64_t start = i * 16, size = 1 << 20;

		table[i] = 20;
		table[i + 1] = (uint32_t)(i + 1) * 4;
		memcpy(&table[i + 2], &start, 8);
		memcpy(&table[i + 4], &size, 8);
	}
	file = make(64 << 20);
	add_section(file, SHT_PROGBITS, ".eh_frame", BODY, 16 << 20);
	put(file, BODY, table, words * 4);
	check_refused(file, "700,000 functions that overlap");
	free(table);
}

/* 256 MiB of zeros in some 40 KB. */
static void test_compressed(void **state)
{
	size_t room = 4 << 20, chunk = 1 << 20, used;
	uint8_t *packed = malloc(room), *zeros = calloc(1, chunk);
	lzma_stream stream = LZMA_STREAM_INIT;
	struct file *file = make(64 << 20);

	(void)state;
	assert_int_equal(lzma_easy_encoder(&stream, 0, LZMA_CHECK_NONE), LZMA_OK);
	stream.next_out = packed;
	stream.avail_out = room;
	for (int i = 0; i < 256; i++) {
		stream.next_in = zeros;
		stream.avail_in = chunk;
		assert_true(lzma_code(&stream, i < 255 ? LZMA_RUN : LZMA_FINISH) <=
			    LZMA_STREAM_END);
	}
	used = room - stream.avail_out;
	lzma_end(&stream);
	add_section(file, SHT_PROGBITS, ".gnu_debugdata", BODY, used);
	put(file, BODY, packed, used);
	check_refused(file, "256 MiB, compressed");
	free(packed);
	free(zeros);
}

/* ---- a live process that maps such a file ---- */

static pid_t map_and_wait(const char *path)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		int fd = open(path, O_RDONLY);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED ||
		    write(ends[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	close(ends[1]);
	return pid;
}

static void test_live(void **state)
{
	struct gw_python *python = malloc(sizeof(*python));
	const char *parent = getenv("TMPDIR");
	struct file *file = make(8 * GIB);
	struct gw_error err = {0};
	char directory[96], path[128];
	pid_t pid;
	int code;

	(void)state;
	snprintf(directory, sizeof(directory), "%.60s/test_hostile.XXXXXX",
		 parent && *parent ? parent : "/tmp");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/libpython3.12.so\033.1", directory);
	close(file->fd);
	file->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0755);
	add_section(file, SHT_DYNSYM, "", BODY, 200 << 20)->sh_link = 1;
	file->section[1].sh_size = 200 << 20;
	finish(file);
	close(file->fd);
	pid = map_and_wait(path);
	code = gw_python_find(pid, python, &err);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	unlink(path);
	rmdir(directory);
	print_message("%d: %s\n", code, err.text);
	assert_int_equal(code, -ENOMEM);
	assert_int_equal(err.status, GW_STATUS_TARGET);
	assert_non_null(strstr(err.text, "too much memory"));
	assert_non_null(strstr(err.text, "libpython3.12.so?.1"));
	free(file);
	free(python);
}

/* ---- the cache ---- */

static void test_cache(void **state)
{
	struct gw_file_cache *cache = gw_file_cache_new();
	struct gw_symbols_request request = {.fd = open("/proc/self/exe", O_RDONLY)};
	struct gw_sandbox_use use = {0};
	struct gw_runtime_symbols first;
	struct file *file = make(8 * GIB);

	(void)state;
	assert_non_null(cache);
	assert_int_equal(gw_files_read_symbols(cache, &request, 1, NULL, &use, NULL), 0);
	assert_int_equal(request.code, 0);
	first = request.symbols;
	memset(&request.symbols, 0, sizeof(request.symbols));
	assert_int_equal(gw_files_read_symbols(cache, &request, 1, NULL, &use, NULL), 0);
	assert_int_equal(request.code, 0);
	assert_int_equal(use.children, 1);
	assert_memory_equal(&first, &request.symbols, sizeof(first));
	close(request.fd);
	/* What ends its reader is asked again: it may have been the load. */
	add_section(file, SHT_DYNSYM, "", BODY, 200 << 20)->sh_link = 1;
	file->section[1].sh_size = 200 << 20;
	finish(file);
	request.fd = file->fd;
	for (unsigned int i = 2; i < 4; i++) {
		assert_int_equal(gw_files_read_symbols(cache, &request, 1, NULL, &use, NULL), 0);
		assert_int_equal(request.code, -ENOMEM);
		assert_int_equal(use.children, i);
	}
	/* A change of the file is seen. */
	assert_int_equal(ftruncate(file->fd, 100), 0);
	assert_int_equal(gw_files_read_symbols(cache, &request, 1, NULL, &use, NULL), 0);
	assert_int_equal(request.code, -EINVAL);
	assert_int_equal(use.children, 4);
	close(file->fd);
	free(file);
	gw_file_cache_free(cache);
	gw_file_cache_free(NULL);
}

/* ---- behind the back of who asks ---- */

/* Asks until it has been read; the number of requests that came too early. */
static unsigned int ask_until_read(struct gw_file_cache *cache, struct gw_symbols_request *request,
				   size_t count)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	unsigned int early = 0;

	for (;;) {
		size_t unread = 0;

		assert_int_equal(gw_files_read_symbols(cache, request, count, NULL, NULL, NULL), 0);
		for (size_t i = 0; i < count; i++)
			unread += request[i].code == -EAGAIN;
		if (!unread)
			return early;
		early++;
		nanosleep(&pause, NULL);
	}
}

static int open_bomb(void)
{
	struct file *file = make(8 * GIB);
	int fd = file->fd;

	add_section(file, SHT_DYNSYM, "", BODY, 200 << 20)->sh_link = 1;
	file->section[1].sh_size = 200 << 20;
	finish(file);
	free(file);
	return fd;
}

static void test_behind(void **state)
{
	struct gw_file_cache *cache = gw_file_cache_new();
	struct gw_symbols_request request[8];
	size_t count = sizeof(request) / sizeof(request[0]);

	(void)state;
	assert_non_null(cache);
	assert_int_equal(gw_files_read_behind(cache), 0);
	memset(request, 0, sizeof(request));
	for (size_t i = 0; i < count; i++)
		request[i].fd = i % 3 == 1 ? open_bomb() : open("/proc/self/exe", O_RDONLY);
	assert_true(ask_until_read(cache, request, count) > 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(request[i].code, i % 3 == 1 ? -ENOMEM : 0);
	/* That is known from now on, of those too that ended their reader. */
	assert_int_equal(ask_until_read(cache, request, count), 0);
	for (size_t i = 0; i < count; i++)
		close(request[i].fd);
	gw_file_cache_free(cache);
}

/* What is being read may have to be waited for, and what is not is forgotten. */
static void test_behind_ends(void **state)
{
	struct gw_file_cache *cache = gw_file_cache_new();
	struct gw_symbols_request request = {0};

	(void)state;
	assert_int_equal(gw_files_read_behind(cache), 0);
	for (int i = 0; i < 40; i++) {
		request.fd = open_bomb();
		assert_int_equal(gw_files_read_symbols(cache, &request, 1, NULL, NULL, NULL), 0);
		assert_int_equal(request.code, -EAGAIN);
		close(request.fd);
	}
	gw_file_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sparse),	       cmocka_unit_test(test_many_sections),
		cmocka_unit_test(test_read_only_data), cmocka_unit_test(test_cycles),
		cmocka_unit_test(test_compressed),     cmocka_unit_test(test_live),
		cmocka_unit_test(test_cache),	       cmocka_unit_test(test_behind),
		cmocka_unit_test(test_behind_ends),
	};

	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
