// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "sites_bed.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "target/file_reader.h"

/* ---- files to look into ---- */

/* CPython's functions as far as they matter here; -D options make the variants. */
static const char gil_source[] =
	"#include <pthread.h>\n"
	"#include <time.h>\n"
	"struct gil { pthread_mutex_t mutex; pthread_cond_t cond, switch_cond; int locked, n; };\n"
	"struct gil gil = { PTHREAD_MUTEX_INITIALIZER };\n"
	"void PyEval_AcquireLock(void);\n"
	"void *volatile address;\n"
	"#ifdef NAME_OTHER\n"
	"#define take_gil nobody\n"
	"#endif\n"
	"#define HIDDEN static __attribute__((noinline, noclone))\n"
	"__attribute__((cold, noinline)) void rare(struct gil *g) { g->n += 7; }\n"
	"static int timed_wait(struct gil *g)\n"
	"{ struct timespec ts = {0, 5};\n"
	"  return pthread_cond_timedwait(&g->cond, &g->mutex, &ts); }\n"
	"#ifdef NO_TIMEOUT\n"
	"#define timed_wait(g) pthread_cond_wait(&(g)->cond, &(g)->mutex)\n"
	"#endif\n"
	"HIDDEN void take_gil(struct gil *g)\n"
	"{ pthread_mutex_lock(&g->mutex);\n"
	"  while (g->locked) if (timed_wait(g)) g->n++;\n"
	"  g->locked = 1;\n"
	"  if (__builtin_expect(g->n == 77, 0)) {\n"
	"    rare(g); pthread_cond_signal(&g->switch_cond); rare(g);\n"
	"  }\n"
	"  pthread_cond_signal(&g->switch_cond);\n"
	"  pthread_mutex_unlock(&g->mutex); }\n"
	"static inline __attribute__((always_inline)) void drop_gil(struct gil *g)\n"
	"{ pthread_mutex_lock(&g->mutex); g->locked = 0;\n"
	"#ifndef NO_RELEASE\n"
	"  pthread_cond_signal(&g->cond);\n"
	"#endif\n"
	"  pthread_mutex_unlock(&g->mutex); }\n"
	"HIDDEN void drop_named(struct gil *g) { drop_gil(g); g->n += 3; }\n"
	"void PyEval_ReleaseLock(void) { drop_named(&gil); }\n"
	"void PyEval_SaveThread(void) { drop_gil(&gil); }\n"
	"#ifdef NAME_OTHER\n"
	"#undef take_gil\n"
	"HIDDEN void take_gil(struct gil *g) { drop_gil(g); g->n += 5; }\n"
	"void PyEval_RestoreThread(void) { nobody(&gil); take_gil(&gil); }\n"
	"void PyEval_AcquireLock(void) { nobody(&gil); }\n"
	"#elif defined(LOCK_OTHER)\n"
	"void PyEval_RestoreThread(void) { take_gil(&gil); }\n"
	"void PyEval_AcquireLock(void) { gil.n++; }\n"
	"#else\n"
	"void PyEval_AcquireLock(void) { take_gil(&gil); }\n"
	"#endif\n"
	"void os_read(int n)\n"
	"{ while (n--) { drop_gil(&gil); PyEval_AcquireLock(); gil.n++; }\n"
	"#ifdef TAKE_ADDRESS\n"
	"  address = pthread_cond_signal; address = pthread_cond_timedwait;\n"
	"#endif\n"
	"}\n"
	"#ifdef NAME_ONE_MORE\n"
	"HIDDEN void more(struct gil *g) __asm__(\"take_gil.more\");\n"
	"HIDDEN void more(struct gil *g) { drop_gil(g); g->n += 9; }\n"
	"void PyEval_More(void) { more(&gil); }\n"
	"#endif\n"
	"#ifdef MANY\n"
	"#define ONE pthread_cond_signal(&gil.cond); gil.n++;\n"
	"#define TEN ONE ONE ONE ONE ONE ONE ONE ONE ONE ONE\n"
	"void many(void) { TEN TEN TEN TEN TEN TEN TEN }\n"
	"#endif\n"
	"int main(int argc, char **argv)\n"
	"{ (void)argv; PyEval_AcquireLock(); os_read(argc); PyEval_SaveThread();\n"
	"  PyEval_ReleaseLock(); return gil.n == 12345; }\n";

/* Code as compilers make it when asked nicely, with the sites as labels. */
static const char assembly_source[] =
	".macro function name\n"
	".p2align 4\n.type \\name, @function\n\\name:\n.cfi_startproc\n"
	".endm\n"
	".macro done name\n"
	".cfi_endproc\n.size \\name, . - \\name\n"
	".endm\n"
	".section .note.GNU-stack,\"\",@progbits\n"
	".text\n"
	"function nameless\n"
	".ifdef SPLIT\n.cfi_def_cfa_offset 16\n.endif\n"
	"	push %rbx\n"
	"again:	call pthread_cond_timedwait@PLT\n"
	"	test %eax, %eax\n"
	"	jne moved_1_middle\n" /* into the middle of another part */
	"	jne moved_2\n"	      /* to the beginning of one that comes back */
	"	jne moved_4\n"	      /* to the beginning of one that has a frame there */
	"	jne again\n"
	"acquire_1: call pthread_cond_signal@PLT\n"
	/* an instruction whose operand looks like a call of the stub */
	"	.byte 0x48, 0xb8\n	call pthread_cond_signal@PLT\n	.byte 0, 0, 0\n"
	"back:	pop %rbx\n"
	"	jmp tail_called\n" /* no part: it does not come back */
	"done nameless\n"
	"function moved_1\n"
	"	ud2\n"
	"moved_1_middle:\n"
	"acquire_2: call pthread_cond_signal@PLT\n"
	"	ud2\n"
	"done moved_1\n"
	"function moved_2\n"
	"acquire_3: call pthread_cond_signal@PLT\n"
	"	jmp moved_3\n" /* comes back by another part only */
	"	jmp back\n"
	"done moved_2\n"
	"function moved_3\n"
	"acquire_4: call pthread_cond_signal@PLT\n"
	"	jmp back\n"
	"done moved_3\n"
	"function moved_4\n"
	".cfi_def_cfa_offset 16\n"
	"acquire_5: call pthread_cond_signal@PLT\n"
	"	pop %rbx\n"
	"	ret\n"
	"done moved_4\n"
	"function tail_called\n"
	"	push %rbx\n"
	"release_1: call pthread_cond_signal@PLT\n"
	"	pop %rbx\n"
	"	ret\n"
	"done tail_called\n"
	/* the load of the address is behind the call in the loop's code */
	"function by_register\n"
	"	push %r12\n"
	"	jmp 2f\n"
	"release_2_slow: call *%r12\n"
	"	call *%rbx\n"
	"2:	mov pthread_cond_signal@GOTPCREL(%rip), %r12\n"
	"	jne release_2_slow\n"
	"	pop %r12\n"
	"	ret\n"
	"done by_register\n"
	/* what the linker makes of `call *slot(%rip)` when it knows the function */
	"function prefixed\n"
	"	push %rbx\n"
	"release_3: .byte 0x67\n	call pthread_cond_signal@PLT\n"
	"	pop %rbx\n"
	"	ret\n"
	"done prefixed\n"
	/* a stub as the linker mold makes it */
	"function own_stub\n"
	"	.byte 0xf3, 0x0f, 0x1e, 0xfa\n"
	"	mov $3, %r11d\n"
	"	jmp *pthread_cond_signal@GOTPCREL(%rip)\n"
	"done own_stub\n"
	"function by_own_stub\n"
	"	push %rbx\n"
	"release_4: call own_stub\n"
	"	pop %rbx\n"
	"	ret\n"
	"done by_own_stub\n"
	".globl PyEval_AcquireLock\n"
	"function PyEval_AcquireLock\n"
	".ifdef SPLIT\n	jmp head\n.else\n	jmp nameless\n.endif\n"
	"done PyEval_AcquireLock\n"
	/* with SPLIT the wait is in a part from which no jump leads to where its function begins */
	"function head\n"
	"	push %rbx\n"
	"	jmp nameless\n"
	"done head\n";

static int write_file(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "w");
	size_t written;

	if (!file)
		return -errno;
	written = fwrite(bytes, 1, size, file);
	return fclose(file) || written != size ? -EIO : 0;
}

int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const char *parent = getenv("TMPDIR");
	char path[512];

	if (!fixture)
		return -1;
	snprintf(fixture->directory, sizeof(fixture->directory), "%s/test_sites.XXXXXX",
		 parent && *parent ? parent : "/tmp");
	if (!mkdtemp(fixture->directory)) {
		free(fixture);
		return -1;
	}
	*state = fixture;
	snprintf(path, sizeof(path), "%s/gil.c", fixture->directory);
	if (write_file(path, gil_source, sizeof(gil_source) - 1))
		return -1;
	snprintf(path, sizeof(path), "%s/assembly.s", fixture->directory);
	return write_file(path, assembly_source, sizeof(assembly_source) - 1);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

int tear_down(void **state)
{
	struct fixture *fixture = *state;

	nftw(fixture->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(fixture);
	return 0;
}

/* Compiles into a new file; returns its path in a buffer of the caller's. Fails the test if it
 * cannot. */
void build(struct fixture *fixture, const char *compiler, const char *source, const char *options,
	   char path[512])
{
	char command[2048];

	snprintf(path, 512, "%s/%d.bin", fixture->directory, fixture->built++);
	snprintf(command, sizeof(command), "%s -w -O2 %s %s/%s -o %s -lpthread", compiler, options,
		 fixture->directory, source, path);
	if (system(command) != 0)
		fail_msg("cannot run: %s", command);
}

void strip(const char *path)
{
	char command[1024];

	snprintf(command, sizeof(command), "strip %s", path);
	assert_int_equal(system(command), 0);
}

int have(const char *program)
{
	char command[256];

	snprintf(command, sizeof(command), "command -v %s >/dev/null 2>&1", program);
	return system(command) == 0;
}

/* In this process: what a file may do to it is what these tests are about. */
int find_sites(int fd, struct gw_sites *sites, struct gw_error *err)
{
	const struct gw_sites_files files = {.file = fd, .debug = {-1, -1}};

	return gw_sites_find(&files, sites, err);
}

int find_in(const char *path, struct gw_sites *sites, struct gw_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), code;

	assert_true(fd >= 0);
	*err = (struct gw_error){0};
	code = find_sites(fd, sites, err);
	close(fd);
	if (code) {
		assert_true(code < 0);
		assert_true(err->text[0] != '\0');
		assert_int_equal(sites->count, 0);
	} else {
		assert_string_equal(err->text, "");
	}
	return code;
}

/* ---- the truth ---- */

void add_truth(struct truth *truth, uint64_t address, enum gw_site_kind kind)
{
	assert_true(truth->count < GW_SITES_MAX);
	truth->site[truth->count].address = address;
	truth->site[truth->count++].kind = kind;
}

/* Is it the callee's own name in <...>, with a version or stub, and not <name+0x12>? */
static int names_callee(const char *text)
{
	static const char callee[] = "pthread_cond_signal";
	const char *at = strstr(text, callee);

	return at && strchr(">@", at[sizeof(callee) - 1]);
}

/*
 * Is a line of objdump's a call of pthread_cond_signal, through a register as well? reg is the one
 * that holds its address in this function, or "".
 */
static int calls_signal(const char *line, char reg[8])
{
	const char *load = strstr(line, "(%rip),%"), *call = strstr(line, "call");

	if (strstr(line, "mov ") && load && names_callee(load))
		sscanf(load, "(%%rip),%%%7[a-z0-9]", reg);
	if (!call)
		return 0;
	if (names_callee(call))
		return 1;
	call = strstr(call, "*%");
	return call && reg[0] && !strncmp(call + 2, reg, strlen(reg));
}

/* Every call that objdump resolves to pthread_cond_signal; in a function of that name: an
 * acquisition. */
void read_truth(const char *path, const char *take_gil, struct truth *truth)
{
	char command[1024], line[1024], function[256] = "", reg[8] = "";
	size_t length = strlen(take_gil);
	unsigned long long address;
	FILE *pipe;
	int acquire;

	*truth = (struct truth){0};
	snprintf(command, sizeof(command), "objdump -d --no-show-raw-insn %s", path);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	while (fgets(line, sizeof(line), pipe)) {
		if (sscanf(line, "%llx <%255[^>]>:", &address, function) == 2)
			reg[0] = '\0';
		else if (calls_signal(line, reg) && sscanf(line, " %llx:", &address) == 1) {
			acquire = !strncmp(function, take_gil, length) &&
				  (!function[length] || function[length] == '.');
			add_truth(truth, address, acquire ? GW_SITE_ACQUIRE : GW_SITE_RELEASE);
		}
	}
	assert_int_equal(pclose(pipe), 0);
}

size_t count_kind(const struct gw_sites *sites, enum gw_site_kind kind)
{
	size_t i, count = 0;

	for (i = 0; i < sites->count; i++)
		count += sites->site[i].kind == kind;
	return count;
}

void check_against(const char *path, const struct gw_sites *sites, const struct truth *truth)
{
	struct gw_elf *elf;
	uint64_t offset;
	size_t i, n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(gw_elf_open(fd, &elf, NULL), 0);
	assert_int_equal(sites->count, truth->count);
	for (i = 0; i < sites->count; i++) {
		for (n = 0; n < truth->count; n++) {
			if (truth->site[n].address == sites->site[i].virtual_address)
				break;
		}
		assert_true(n < truth->count);
		assert_int_equal(truth->site[n].kind, sites->site[i].kind);
		assert_int_equal(gw_elf_offset_of(elf, truth->site[n].address, &offset), 0);
		assert_int_equal(offset, sites->site[i].file_offset);
		if (i)
			assert_true(sites->site[i - 1].file_offset < sites->site[i].file_offset);
	}
	gw_elf_close(elf);
	close(fd);
}

void check_same(const struct gw_sites *sites, const struct gw_sites *expected, const char *how)
{
	assert_string_equal(sites->how, how);
	assert_string_equal(sites->disagreement, "");
	assert_int_equal(sites->count, expected->count);
	assert_memory_equal(sites->site, expected->site, sizeof(sites->site));
}

int find_in_bytes(const void *bytes, size_t size, struct gw_error *err)
{
	struct gw_sites sites;
	int fd = memfd_create("test_sites", MFD_CLOEXEC), code;

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, size, 0), size);
	*err = (struct gw_error){0};
	code = find_sites(fd, &sites, err);
	close(fd);
	assert_true(code <= 0);
	assert_true(!code == !err->text[0]);
	assert_true(!code == !!sites.count);
	return code;
}

double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Opens a copy of the file from which sstrip would have cut them. */
static int open_without_sections(const char *path)
{
	int from = open(path, O_RDONLY | O_CLOEXEC);
	int to = memfd_create("test_sites", MFD_CLOEXEC);
	struct stat status;
	Elf64_Ehdr header;

	assert_int_equal(fstat(from, &status), 0);
	while (sendfile(to, from, NULL, (size_t)status.st_size) > 0)
		;
	assert_int_equal(pread(to, &header, sizeof(header), 0), sizeof(header));
	header.e_shoff = 0;
	header.e_shnum = header.e_shstrndx = 0;
	assert_int_equal(pwrite(to, &header, sizeof(header), 0), sizeof(header));
	close(from);
	return to;
}

void check_without_sections(const char *path)
{
	struct gw_runtime_symbols with, without;
	struct gw_sites sites, expected;
	struct gw_error err = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC), cut = open_without_sections(path);

	assert_int_equal(find_sites(fd, &expected, &err), 0);
	assert_int_equal(find_sites(cut, &sites, &err), 0);
	check_same(&sites, &expected, "calls");
	assert_int_equal(gw_runtime_symbols_read(fd, &with), 0);
	assert_int_equal(gw_runtime_symbols_read(cut, &without), 0);
	assert_true(with.runtime == without.runtime && with.version_hex == without.version_hex);
	assert_int_equal(with.old_python, without.old_python);
	assert_int_equal(with.free_threaded, without.free_threaded);
	assert_string_equal(with.soname, without.soname);
	assert_string_equal(with.build_id, without.build_id);
	close(fd);
	close(cut);
}
