// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The GIL's call sites in small files that this test has the compiler make (the truth is what the
 * disassembler says of them before they are stripped), in damaged ones, and in the interpreters of
 * this machine (and those in GILWATCH_BINARIES: patterns, by colons).
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
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

#include <cmocka.h>

#include "target/elf_symbols.h"
#include "target/file_reader.h"
#include "target/functions.h"
#include "target/sites.h"

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

struct fixture {
	char directory[256];
	int built; /* files made so far: each has a name of its own */
};

static int write_file(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "w");
	size_t written;

	if (!file)
		return -errno;
	written = fwrite(bytes, 1, size, file);
	return fclose(file) || written != size ? -EIO : 0;
}

static int set_up(void **state)
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

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	nftw(fixture->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(fixture);
	return 0;
}

/* Compiles into a new file; returns its path in a buffer of the caller's. Fails the test if it
 * cannot. */
static void build(struct fixture *fixture, const char *compiler, const char *source,
		  const char *options, char path[512])
{
	char command[2048];

	snprintf(path, 512, "%s/%d.bin", fixture->directory, fixture->built++);
	snprintf(command, sizeof(command), "%s -w -O2 %s %s/%s -o %s -lpthread", compiler, options,
		 fixture->directory, source, path);
	if (system(command) != 0)
		fail_msg("cannot run: %s", command);
}

static void strip(const char *path)
{
	char command[1024];

	snprintf(command, sizeof(command), "strip %s", path);
	assert_int_equal(system(command), 0);
}

static int have(const char *program)
{
	char command[256];

	snprintf(command, sizeof(command), "command -v %s >/dev/null 2>&1", program);
	return system(command) == 0;
}

#if defined(__x86_64__)
#define NEED_TOOLCHAIN()                                                                           \
	do {                                                                                       \
		if (!have("cc") || !have("objdump") || !have("strip"))                             \
			skip();                                                                    \
	} while (0)
#else
#define NEED_TOOLCHAIN() skip()
#endif

/* In this process: what a file may do to it is what these tests are about. */
static int find_sites(int fd, struct gw_sites *sites, struct gw_error *err)
{
	const struct gw_sites_files files = {.file = fd, .debug = {-1, -1}};

	return gw_sites_find(&files, sites, err);
}

static int find_in(const char *path, struct gw_sites *sites, struct gw_error *err)
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

struct truth {
	size_t count;
	struct {
		uint64_t address;
		enum gw_site_kind kind;
	} site[GW_SITES_MAX];
};

static void add_truth(struct truth *truth, uint64_t address, enum gw_site_kind kind)
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
static void read_truth(const char *path, const char *take_gil, struct truth *truth)
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

static size_t count_kind(const struct gw_sites *sites, enum gw_site_kind kind)
{
	size_t i, count = 0;

	for (i = 0; i < sites->count; i++)
		count += sites->site[i].kind == kind;
	return count;
}

static void check_against(const char *path, const struct gw_sites *sites, const struct truth *truth)
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

/* ---- compiled files ---- */

struct variant {
	const char *name, *options;
	const char *section; /* that the linker must have made, or the variant is not what it is
				called */
	int cheap;
};

#define CET "-fcf-protection=full -Wl,-z,ibtplt -Wl,-z,now"

static const struct variant variants[] = {
	{"lazy", "-shared -fPIC -fcf-protection=none -Wl,-z,lazy", ".plt", 1},
	{"landing pads", "-shared -fPIC " CET, ".plt.sec", 1},
	{"address taken", "-shared -fPIC -DTAKE_ADDRESS -Wl,-z,now", ".plt.got", 1},
	{"address taken, landing pads", "-shared -fPIC -DTAKE_ADDRESS " CET, ".plt.got", 1},
	{"position-independent program", "-pie -fPIE", ".plt", 1},
	{"fixed program", "-no-pie -fno-pie", ".plt", 1},
	{"fixed program, address taken", "-no-pie -fno-pie -DTAKE_ADDRESS", ".plt", 1},
	{"one segment for code and data", "-shared -fPIC -Wl,-z,noseparate-code", ".plt", 1},
	{"static program", "-static -no-pie -fno-pie", ".symtab", 1},
	{"GOT calls", "-shared -fPIC -fno-plt", ".got", 0},
	{"no optimisation", "-shared -fPIC -O0", ".plt", 1},
	{"small", "-shared -fPIC -Os", ".plt", 1},
};

static int has_section(const char *path, const char *name)
{
	struct gw_elf_section section;
	struct gw_elf *elf;
	int fd = open(path, O_RDONLY | O_CLOEXEC), found;

	assert_int_equal(gw_elf_open(fd, &elf, NULL), 0);
	found = !gw_elf_section_named(elf, name, &section);
	gw_elf_close(elf);
	close(fd);
	return found;
}

static void check_variant(struct fixture *fixture, const char *compiler,
			  const struct variant *variant)
{
	struct gw_sites sites, stripped;
	struct gw_error err;
	struct truth truth;
	char path[512];
	size_t i;

	build(fixture, compiler, "gil.c", variant->options, path);
	assert_true(has_section(path, variant->section));
	read_truth(path, "take_gil", &truth);
	assert_int_equal(find_in(path, &sites, &err), 0);
	check_against(path, &sites, &truth);
	assert_string_equal(sites.how, "symbols");
	assert_true(count_kind(&sites, GW_SITE_ACQUIRE) >= 1);
	assert_true(count_kind(&sites, GW_SITE_RELEASE) >= 3);
	for (i = 0; i < sites.count; i++)
		assert_int_equal(sites.site[i].cheap, variant->cheap);

	strip(path);
	if (strstr(variant->options, "-static")) {
		/* With no symbol and no import nothing tells one function from another. */
		assert_int_equal(find_in(path, &stripped, &err), -ENOENT);
		return;
	}
	assert_int_equal(find_in(path, &stripped, &err), 0);
	assert_string_equal(stripped.how, "calls");
	assert_int_equal(stripped.count, sites.count);
	assert_memory_equal(stripped.site, sites.site, sizeof(sites.site));
}

static void check_variants(struct fixture *fixture, const char *compiler)
{
	size_t i;

	for (i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		print_message("%s: %s\n", compiler, variants[i].name);
		check_variant(fixture, compiler, &variants[i]);
	}
}

static void test_compiled(void **state)
{
	NEED_TOOLCHAIN();
	check_variants(*state, "cc");
}

static void test_compiled_by_clang(void **state)
{
	NEED_TOOLCHAIN();
	if (!have("clang"))
		skip();
	check_variants(*state, "clang");
}

/* The sites are labels: acquire_N and release_N, with _slow where the kernel must single-step. */
static void read_labels(const char *path, struct truth *truth, size_t *slow)
{
	struct gw_elf_symbols symbols;
	const char *name;
	struct gw_elf *elf;
	size_t i;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*truth = (struct truth){0};
	*slow = 0;
	assert_int_equal(gw_elf_open(fd, &elf, NULL), 0);
	assert_int_equal(gw_elf_symbols_load(elf, SHT_SYMTAB, &symbols), 0);
	for (i = 0; i < symbols.count; i++) {
		name = gw_elf_symbol_name(&symbols, i);
		if (!strncmp(name, "acquire_", 8))
			add_truth(truth, symbols.symbol[i].st_value, GW_SITE_ACQUIRE);
		if (!strncmp(name, "release_", 8))
			add_truth(truth, symbols.symbol[i].st_value, GW_SITE_RELEASE);
		*slow += strstr(name, "_slow") != NULL;
	}
	gw_elf_symbols_free(&symbols);
	gw_elf_close(elf);
	close(fd);
}

static void check_assembled(struct fixture *fixture, const char *options)
{
	struct gw_sites sites;
	struct gw_error err;
	struct truth truth;
	char path[512];
	size_t slow, i;

	build(fixture, "cc", "assembly.s", options, path);
	read_labels(path, &truth, &slow);
	assert_int_equal(truth.count, 9);
	strip(path);
	assert_int_equal(find_in(path, &sites, &err), 0);
	check_against(path, &sites, &truth);
	for (i = 0; i < sites.count; i++)
		slow -= !sites.site[i].cheap;
	assert_int_equal(slow, 0);
}

static void test_assembled(void **state)
{
	NEED_TOOLCHAIN();
	check_assembled(*state, "-shared");
	check_assembled(*state, "-shared -Wa,--defsym,SPLIT=1");
}

static void expect_refusal(struct fixture *fixture, const char *options, int code,
			   const char *sentence)
{
	struct gw_sites sites;
	struct gw_error err;
	char path[512];

	build(fixture, "cc", "gil.c", options, path);
	assert_int_equal(find_in(path, &sites, &err), code);
	assert_non_null(strstr(err.text, sentence));
	assert_int_equal(err.status, GW_STATUS_TARGET);
}

static void test_contradictions(void **state)
{
	NEED_TOOLCHAIN();
	expect_refusal(*state, "-shared -fPIC -DLOCK_OTHER", -EINVAL, "PyEval_AcquireLock");
	expect_refusal(*state, "-shared -fPIC -DNAME_OTHER", -EINVAL, "symbols");
	expect_refusal(*state, "-shared -fPIC -DNO_RELEASE", -EINVAL, "releases");
	expect_refusal(*state, "-shared -fPIC -DMANY", -E2BIG, "too many");
}

static void test_no_unwind_table(void **state)
{
	struct gw_sites sites;
	struct gw_error err;
	struct truth truth;
	char path[512];

	NEED_TOOLCHAIN();
	build(*state, "cc", "gil.c",
	      "-shared -fPIC -fno-asynchronous-unwind-tables -fno-unwind-tables", path);
	/* The symbols say where functions begin and end. */
	read_truth(path, "take_gil", &truth);
	assert_int_equal(find_in(path, &sites, &err), 0);
	check_against(path, &sites, &truth);
	assert_string_equal(sites.how, "symbols");
	/* Without them the functions are in no table: nothing is found, and nothing is guessed. */
	strip(path);
	assert_true(find_in(path, &sites, &err) < 0);
}

/* ---- the ladder of names ---- */

/* Runs a command made of a format and two paths, and fails the test if that fails. */
static void shell(const char *format, const char *first, const char *second)
{
	char command[4096];
	int length = snprintf(command, sizeof(command), format, first, second);

	assert_true(length > 0 && (size_t)length < sizeof(command));
	if (system(command) != 0)
		fail_msg("cannot run: %s", command);
}

static int find_with_debug(const char *path, const char *debug, struct gw_sites *sites)
{
	struct gw_sites_files files = {
		.file = open(path, O_RDONLY | O_CLOEXEC),
		.debug = {-1, open(debug, O_RDONLY | O_CLOEXEC)},
	};
	struct gw_error err = {0};
	int code = gw_sites_find(&files, sites, &err);

	assert_true(files.debug[1] >= 0);
	close(files.file);
	close(files.debug[1]);
	return code;
}

static void check_same(const struct gw_sites *sites, const struct gw_sites *expected,
		       const char *how)
{
	assert_string_equal(sites->how, how);
	assert_string_equal(sites->disagreement, "");
	assert_int_equal(sites->count, expected->count);
	assert_memory_equal(sites->site, expected->site, sizeof(sites->site));
}

static void test_debug_file(void **state)
{
	struct gw_sites whole, sites;
	char path[512], debug[600], other[512];
	struct gw_error err;

	NEED_TOOLCHAIN();
	build(*state, "cc", "gil.c", "-g -shared -fPIC -Wl,--build-id", path);
	assert_int_equal(find_in(path, &whole, &err), 0);
	assert_non_null(strstr(whole.function[0].name, "take_gil"));
	snprintf(debug, sizeof(debug), "%s.debug", path);
	shell("objcopy --only-keep-debug %s %s", path, debug);
	strip(path);
	assert_int_equal(find_with_debug(path, debug, &sites), 0);
	check_same(&sites, &whole, "debug file");
	assert_non_null(strstr(sites.function[0].name, "take_gil"));
	/* As compressed as its sections can be. */
	shell("objcopy --compress-debug-sections %s %s", debug, debug);
	assert_int_equal(find_with_debug(path, debug, &sites), 0);
	check_same(&sites, &whole, "debug file");

	/* Of another build: as if it were not there. */
	build(*state, "cc", "gil.c", "-g -O1 -shared -fPIC -Wl,--build-id", other);
	assert_int_equal(find_with_debug(path, other, &sites), 0);
	check_same(&sites, &whole, "calls");
	assert_string_equal(sites.function[0].name, "");
	/* Or no ELF file at all. */
	assert_int_equal(find_with_debug(path, "/proc/self/cmdline", &sites), 0);
	check_same(&sites, &whole, "calls");
}

/* As Fedora's find-debuginfo makes it. */
static void test_debugdata(void **state)
{
	struct gw_sites whole, sites;
	struct gw_error err;
	char path[512], mini[600];

	NEED_TOOLCHAIN();
	if (!have("xz"))
		skip();
	build(*state, "cc", "gil.c", "-g -shared -fPIC -Wl,--build-id", path);
	assert_int_equal(find_in(path, &whole, &err), 0);
	snprintf(mini, sizeof(mini), "%s.mini", path);
	shell("nm %s --format=posix --defined-only | "
	      "awk '$2 == \"T\" || $2 == \"t\" {print $1}' | sort > %s.functions",
	      path, mini);
	shell("objcopy -S --remove-section .gdb_index --remove-section .comment "
	      "--keep-symbols=%2$s.functions %1$s %2$s",
	      path, mini);
	shell("objcopy --only-keep-debug %s %s.only", mini, mini);
	shell("xz -f %s.only && strip %s", mini, path);
	shell("objcopy --add-section .gnu_debugdata=%2$s.only.xz %1$s", path, mini);
	assert_int_equal(find_in(path, &sites, &err), 0);
	check_same(&sites, &whole, "debugdata");
	assert_non_null(strstr(sites.function[0].name, "take_gil"));
}

/* Names that say of one place what the calls do not: it is left out, and that is said. */
static void test_disagreement(void **state)
{
	struct gw_sites sites, stripped;
	struct gw_error err;
	char path[512];

	NEED_TOOLCHAIN();
	build(*state, "cc", "gil.c", "-shared -fPIC -DNAME_ONE_MORE", path);
	assert_int_equal(find_in(path, &sites, &err), 0);
	assert_string_equal(sites.how, "symbols");
	assert_non_null(strstr(sites.disagreement, "disagree on 1 of the places"));
	strip(path);
	assert_int_equal(find_in(path, &stripped, &err), 0);
	assert_string_equal(stripped.disagreement, "");
	assert_int_equal(stripped.count, sites.count + 1);
	assert_int_equal(count_kind(&stripped, GW_SITE_ACQUIRE),
			 count_kind(&sites, GW_SITE_ACQUIRE));
}

/* A GIL that waits in a way of its own: only names can tell. */
static void test_names_alone(void **state)
{
	struct gw_sites sites;
	struct gw_error err;
	struct truth truth;
	char path[512];

	NEED_TOOLCHAIN();
	build(*state, "cc", "gil.c", "-shared -fPIC -DNO_TIMEOUT", path);
	read_truth(path, "take_gil", &truth);
	assert_int_equal(find_in(path, &sites, &err), 0);
	check_against(path, &sites, &truth);
	assert_string_equal(sites.how, "symbols");
	strip(path);
	assert_int_equal(find_in(path, &sites, &err), -ENOENT);
}

/* ---- without section headers ---- */

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

static void check_without_sections(const char *path)
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

static void test_without_sections(void **state)
{
	static const char *const options[] = {
		"-shared -fPIC -Wl,--build-id -Wl,-soname,libx.so -Wl,-z,lazy -Wl,--hash-style=gnu",
		"-shared -fPIC -Wl,--hash-style=sysv -fcf-protection=full -Wl,-z,ibtplt "
		"-Wl,-z,now",
		"-shared -fPIC -fno-plt -Wl,--hash-style=both",
		"-pie -fPIE -rdynamic -Wl,--hash-style=gnu",
		"-no-pie -fno-pie -rdynamic -DTAKE_ADDRESS",
	};
	char path[512];

	NEED_TOOLCHAIN();
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		build(*state, "cc", "gil.c", options[i], path);
		strip(path);
		check_without_sections(path);
	}
}

/* ---- files that hold no GIL, and no ELF ---- */

static int find_in_bytes(const void *bytes, size_t size, struct gw_error *err)
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

static void test_not_elf(void **state)
{
	static const char text[] = "#!/bin/sh\nexec python3 \"$@\"\n";
	struct gw_sites sites;
	struct gw_error err;
	int ends[2], fd;

	(void)state;
	assert_int_equal(find_in_bytes("", 0, &err), -ENOEXEC);
	assert_int_equal(find_in_bytes(text, sizeof(text), &err), -ENOEXEC);
	assert_int_equal(find_in_bytes("\177ELF", 4, &err), -ENOEXEC);
	/* a static library is something that libelf knows, and no program */
	assert_int_equal(find_in_bytes("!<arch>\n", 8, &err), -ENOEXEC);
	assert_int_equal(find_sites(-1, &sites, &err), -EBADF);

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(find_sites(ends[0], &sites, NULL), -ENOEXEC);
	close(ends[0]);
	close(ends[1]);
	fd = open("/", O_RDONLY | O_CLOEXEC);
	assert_int_equal(find_sites(fd, &sites, NULL), -ENOEXEC);
	close(fd);
}

static void test_no_gil(void **state)
{
	struct gw_sites sites;
	struct gw_error err;

	(void)state;
	if (access("/bin/true", R_OK))
		skip();
	assert_int_equal(find_in("/bin/true", &sites, &err), -ENOENT);
}

/* ---- damaged files ---- */

struct sample {
	size_t size;
	uint8_t *bytes;
};

static void load_sample(struct fixture *fixture, struct sample *sample)
{
	struct stat status;
	char path[512];
	FILE *file;

	build(fixture, "cc", "gil.c", "-shared -fPIC -Wl,-z,noseparate-code -Wl,--build-id", path);
	strip(path);
	assert_int_equal(stat(path, &status), 0);
	sample->size = (size_t)status.st_size;
	sample->bytes = malloc(sample->size);
	assert_non_null(sample->bytes);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fread(sample->bytes, 1, sample->size, file), sample->size);
	fclose(file);
}

static void test_truncated(void **state)
{
	struct sample sample;
	struct gw_error err;
	size_t length;

	NEED_TOOLCHAIN();
	load_sample(*state, &sample);
	assert_int_equal(find_in_bytes(sample.bytes, sample.size, &err), 0);
	/* The section headers are at the end: without the last byte they are incomplete. */
	for (length = 0; length < sample.size; length += length < 1024 ? 1 : 13)
		assert_true(find_in_bytes(sample.bytes, length, &err) < 0);
	assert_true(find_in_bytes(sample.bytes, sample.size - 1, &err) < 0);
	free(sample.bytes);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Writes a few bytes somewhere: into the ELF and program headers, the section headers, or anywhere.
 */
static void damage(uint8_t *bytes, size_t size, uint64_t *seed)
{
	static const uint8_t telling[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
	size_t at, count = 1 + next_random(seed) % 8, headers;
	Elf64_Ehdr header;
	uint8_t value;

	memcpy(&header, bytes, sizeof(header));
	headers = header.e_shnum * sizeof(Elf64_Shdr);
	while (count--) {
		switch (next_random(seed) % 3) {
		case 0:
			at = next_random(seed) % 1024;
			break;
		case 1:
			at = header.e_shoff + next_random(seed) % headers;
			break;
		default:
			at = next_random(seed) % size;
			break;
		}
		value = (uint8_t)next_random(seed);
		if (next_random(seed) % 2)
			value = telling[value % sizeof(telling)];
		/* the magic and the class stay, or all the rest of the round is idle */
		if (at >= 6 && at < size)
			bytes[at] = value;
	}
}

static void test_damaged(void **state)
{
	uint64_t seed = 0x67696c7761746368;
	struct sample sample;
	struct gw_error err;
	uint8_t *bytes;
	double start, took, longest = 0;
	int round, found = 0;

	NEED_TOOLCHAIN();
	load_sample(*state, &sample);
	bytes = malloc(sample.size);
	assert_non_null(bytes);
	for (round = 0; round < 2000; round++) {
		memcpy(bytes, sample.bytes, sample.size);
		damage(bytes, sample.size, &seed);
		start = seconds();
		found += find_in_bytes(bytes, sample.size, &err) == 0;
		took = seconds() - start;
		if (took > longest)
			longest = took;
	}
	print_message("2000 damaged files: sites found in %d, longest %.1f ms\n", found,
		      longest * 1e3);
	assert_true(longest < 5);
	free(bytes);
	free(sample.bytes);
}

/* Sets one field of every section header (of a type, or 0: of all) to a value. */
static int lie(const struct sample *sample, uint32_t type, size_t field, uint64_t value)
{
	uint8_t *bytes = malloc(sample->size), *at;
	Elf64_Ehdr header;
	Elf64_Shdr section;
	struct gw_error err;
	int i, code;

	assert_non_null(bytes);
	memcpy(bytes, sample->bytes, sample->size);
	memcpy(&header, bytes, sizeof(header));
	for (i = 1; i < header.e_shnum; i++) {
		at = bytes + header.e_shoff + (size_t)i * sizeof(section);
		memcpy(&section, at, sizeof(section));
		if (!type || section.sh_type == type)
			memcpy(at + field, &value, sizeof(value));
	}
	code = find_in_bytes(bytes, sample->size, &err);
	free(bytes);
	return code;
}

static void test_lying_sections(void **state)
{
	static const uint32_t types[] = {0,
					 SHT_RELA,
					 SHT_DYNSYM,
					 SHT_STRTAB,
					 SHT_PROGBITS,
					 SHT_X86_64_UNWIND,
					 SHT_INIT_ARRAY};
	static const uint64_t lies[] = {1ULL << 20, 1ULL << 32, 1ULL << 63, UINT64_MAX,
					UINT64_MAX - 4096};
	struct sample sample;
	size_t t, l;
	int code;

	NEED_TOOLCHAIN();
	load_sample(*state, &sample);
	for (t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
		for (l = 0; l < sizeof(lies) / sizeof(lies[0]); l++) {
			code = lie(&sample, types[t], offsetof(Elf64_Shdr, sh_size), lies[l]);
			assert_true(code < 0 || types[t] >= SHT_INIT_ARRAY);
			code = lie(&sample, types[t], offsetof(Elf64_Shdr, sh_offset), lies[l]);
			assert_true(code < 0 || types[t] >= SHT_INIT_ARRAY);
			lie(&sample, types[t], offsetof(Elf64_Shdr, sh_addr), lies[l]);
			lie(&sample, types[t], offsetof(Elf64_Shdr, sh_entsize), lies[l]);
			lie(&sample, types[t], offsetof(Elf64_Shdr, sh_link), lies[l]);
		}
	}
	free(sample.bytes);
}

/* Sets a field in the program headers of a type. */
static void lie_in_segments(uint8_t *bytes, uint32_t type, size_t field, uint64_t value)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	uint8_t *at;
	int i;

	memcpy(&header, bytes, sizeof(header));
	for (i = 0; i < header.e_phnum; i++) {
		at = bytes + header.e_phoff + (size_t)i * sizeof(segment);
		memcpy(&segment, at, sizeof(segment));
		if (segment.p_type == type)
			memcpy(at + field, &value, sizeof(value));
	}
}

static void test_lying_segments(void **state)
{
	struct sample sample;
	struct gw_sites sites;
	struct gw_error err = {0};
	uint8_t *bytes;
	int fd;

	NEED_TOOLCHAIN();
	load_sample(*state, &sample);
	bytes = malloc(sample.size);
	assert_non_null(bytes);
	memcpy(bytes, sample.bytes, sample.size);
	lie_in_segments(bytes, PT_LOAD, offsetof(Elf64_Phdr, p_filesz), 1ULL << 40);
	assert_int_equal(find_in_bytes(bytes, sample.size, &err), -EINVAL);
	memcpy(bytes, sample.bytes, sample.size);
	lie_in_segments(bytes, PT_LOAD, offsetof(Elf64_Phdr, p_vaddr), UINT64_MAX - 5);
	assert_int_equal(find_in_bytes(bytes, sample.size, &err), -EINVAL);

	/* A file with a hole of a terabyte in it, all of it code: refused, and not read. */
	memcpy(bytes, sample.bytes, sample.size);
	lie_in_segments(bytes, PT_LOAD, offsetof(Elf64_Phdr, p_filesz), 1ULL << 39);
	lie_in_segments(bytes, PT_LOAD, offsetof(Elf64_Phdr, p_memsz), 1ULL << 39);
	fd = memfd_create("test_sites", MFD_CLOEXEC);
	assert_int_equal(pwrite(fd, bytes, sample.size, 0), sample.size);
	assert_int_equal(ftruncate(fd, 1LL << 40), 0);
	err = (struct gw_error){0};
	assert_int_equal(find_sites(fd, &sites, &err), -EINVAL);
	assert_non_null(strstr(err.text, "too large"));
	close(fd);
	free(bytes);
	free(sample.bytes);
}

static void test_other_machines(void **state)
{
	struct sample sample;
	struct gw_error err;
	Elf64_Ehdr header;
	uint8_t saved;

	NEED_TOOLCHAIN();
	load_sample(*state, &sample);
	saved = sample.bytes[EI_CLASS];
	sample.bytes[EI_CLASS] = ELFCLASS32;
	assert_int_equal(find_in_bytes(sample.bytes, sample.size, &err), -ENOEXEC);
	sample.bytes[EI_CLASS] = saved;
	saved = sample.bytes[EI_DATA];
	sample.bytes[EI_DATA] = ELFDATA2MSB;
	assert_int_equal(find_in_bytes(sample.bytes, sample.size, &err), -ENOEXEC);
	sample.bytes[EI_DATA] = saved;
	memcpy(&header, sample.bytes, sizeof(header));
	header.e_machine = EM_AARCH64;
	memcpy(sample.bytes, &header, sizeof(header));
	assert_int_equal(find_in_bytes(sample.bytes, sample.size, &err), -ENOEXEC);
	header.e_machine = EM_X86_64;
	header.e_type = ET_CORE;
	memcpy(sample.bytes, &header, sizeof(header));
	assert_int_equal(find_in_bytes(sample.bytes, sample.size, &err), -ENOEXEC);
	free(sample.bytes);
}

/* ---- the view itself ---- */

static void check_view(struct gw_elf *elf)
{
	uint64_t size = gw_elf_file_size(elf), address, offset;
	const struct gw_elf_segment *segment;
	struct gw_elf_section section;
	uint8_t *bytes, byte;
	size_t i, count;

	assert_int_equal(gw_elf_read(elf, size, &byte, 0), 0);
	assert_int_equal(gw_elf_read(elf, size, &byte, 1), -EINVAL);
	assert_int_equal(gw_elf_read(elf, UINT64_MAX, &byte, 1), -EINVAL);
	assert_int_equal(gw_elf_load(elf, 1, UINT64_MAX, &bytes), -EINVAL);
	assert_int_equal(gw_elf_load(elf, 1, size, &bytes), -EINVAL);
	assert_null(bytes);

	count = gw_elf_segments(elf, &segment);
	assert_true(count >= 2);
	for (i = 0; i < count; i++) {
		assert_int_equal(gw_elf_offset_of(elf, segment[i].address, &offset), 0);
		assert_int_equal(offset, segment[i].offset);
		assert_int_equal(gw_elf_address_of(elf, offset, &address), 0);
		/* .bss is in memory and not in the file */
		if (segment[i].memory_size > segment[i].file_size)
			assert_int_equal(gw_elf_offset_of(elf,
							  segment[i].address + segment[i].file_size,
							  &offset),
					 -ENOENT);
	}
	assert_int_equal(gw_elf_address_of(elf, size, &address), -ENOENT);

	assert_int_equal(gw_elf_section_named(elf, ".text", &section), 0);
	assert_int_equal(gw_elf_offset_of(elf, section.address, &offset), 0);
	assert_int_equal(offset, section.offset);
	assert_int_equal(gw_elf_section_named(elf, ".no", &section), -ENOENT);
	assert_int_equal(gw_elf_section_typed(elf, SHT_SYMTAB, &section), -ENOENT);
}

static void test_view(void **state)
{
	struct fixture *fixture = *state;
	struct gw_elf_symbols symbols;
	char path[512], hex[64], brief[8];
	Elf64_Sym symbol;
	struct gw_elf *elf;
	int fd;

	NEED_TOOLCHAIN();
	build(fixture, "cc", "gil.c", "-shared -fPIC -Wl,--build-id=0x00c0ffee12ab", path);
	strip(path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(gw_elf_open(fd, &elf, NULL), 0);
	check_view(elf);

	assert_int_equal(gw_elf_build_id(elf, hex, sizeof(hex)), 0);
	assert_string_equal(hex, "00c0ffee12ab");
	assert_int_equal(gw_elf_build_id(elf, brief, sizeof(brief)), 0);
	assert_string_equal(brief, "00c0ff");

	assert_int_equal(gw_elf_symbols_load(elf, SHT_SYMTAB, &symbols), -ENOENT);
	assert_int_equal(gw_elf_symbols_load(elf, SHT_DYNSYM, &symbols), 0);
	assert_int_equal(gw_elf_symbol_find(&symbols, "os_read", &symbol), 0);
	assert_true(symbol.st_size > 0);
	/* imported, not defined */
	assert_int_equal(gw_elf_symbol_find(&symbols, "pthread_cond_signal", &symbol), -ENOENT);
	assert_string_equal(gw_elf_symbol_name(&symbols, symbols.count), "");
	gw_elf_symbols_free(&symbols);
	gw_elf_close(elf);
	gw_elf_close(NULL);
	gw_elf_symbols_free(NULL);
	gw_elf_code_free(NULL);
	close(fd);
}

/* ---- function bounds ---- */

static void check_bounds(const struct gw_functions *functions, const struct gw_elf_symbols *symbols)
{
	const struct gw_function *function;
	size_t i, compared = 0;

	for (i = 0; i < symbols->count; i++) {
		if (ELF64_ST_TYPE(symbols->symbol[i].st_info) != STT_FUNC ||
		    !symbols->symbol[i].st_size)
			continue;
		function = gw_functions_at(functions, symbols->symbol[i].st_value);
		/* crti's _init and _fini have no unwind entry */
		if (!function)
			continue;
		assert_int_equal(function->start, symbols->symbol[i].st_value);
		assert_int_equal(function->end - function->start, symbols->symbol[i].st_size);
		assert_ptr_equal(gw_functions_at(functions, function->end - 1), function);
		compared++;
	}
	assert_true(compared >= 6);
	for (i = 1; i < functions->count; i++)
		assert_true(functions->function[i - 1].end <= functions->function[i].start);
	assert_null(gw_functions_at(functions, 0));
	assert_null(gw_functions_at(functions, UINT64_MAX));
}

static void test_functions(void **state)
{
	struct gw_functions functions;
	struct gw_elf_symbols symbols;
	struct gw_elf_section plt;
	struct gw_elf *elf;
	char path[512];
	int fd;

	NEED_TOOLCHAIN();
	build(*state, "cc", "gil.c", "-shared -fPIC -Wl,-z,lazy", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(gw_elf_open(fd, &elf, NULL), 0);
	assert_int_equal(gw_functions_load(elf, &functions, NULL), 0);
	assert_int_equal(gw_elf_symbols_load(elf, SHT_SYMTAB, &symbols), 0);
	check_bounds(&functions, &symbols);
	assert_int_equal(gw_elf_section_named(elf, ".plt", &plt), 0);
	assert_null(gw_functions_at(&functions, plt.address));
	gw_functions_free(&functions);
	gw_functions_free(NULL);
	gw_elf_symbols_free(&symbols);
	gw_elf_close(elf);
	close(fd);
}

/* ---- the interpreters of this machine ---- */

#define FILES_MAX 256

struct files {
	size_t count;
	struct stat seen[FILES_MAX];
	size_t checked;
};

/* The minor version in a name like libpython3.11d.so.1.0, or -1. */
static int minor_of(const char *path)
{
	const char *name = strrchr(path, '/'), *at = strstr(name ? name : path, "python3.");
	int minor = -1;

	if (at)
		sscanf(at, "python3.%d", &minor);
	return minor;
}

/* 1: the file is CPython itself, and not a launcher that loads libpython. */
static int holds_runtime(int fd)
{
	struct gw_elf_symbols symbols;
	Elf64_Sym symbol;
	struct gw_elf *elf;
	int found = 0;

	if (gw_elf_open(fd, &elf, NULL))
		return 0;
	if (!gw_elf_symbols_load(elf, SHT_DYNSYM, &symbols)) {
		found = !gw_elf_symbol_find(&symbols, "_PyRuntime", &symbol);
		gw_elf_symbols_free(&symbols);
	}
	gw_elf_close(elf);
	return found;
}

static int seen_before(struct files *files, const struct stat *status)
{
	size_t i;

	for (i = 0; i < files->count; i++) {
		if (files->seen[i].st_dev == status->st_dev &&
		    files->seen[i].st_ino == status->st_ino)
			return 1;
	}
	if (files->count < FILES_MAX)
		files->seen[files->count++] = *status;
	return 0;
}

/* With symbols: each acquisition lies in a take_gil, and each site in a take_gil is one. */
static void check_symbol_bounds(int fd, const struct gw_sites *sites)
{
	struct gw_elf_symbols symbols;
	struct gw_elf *elf;
	size_t i, n;
	int inside;

	assert_int_equal(gw_elf_open(fd, &elf, NULL), 0);
	if (!gw_elf_symbols_load(elf, SHT_SYMTAB, &symbols)) {
		for (i = 0; i < sites->count; i++) {
			inside = 0;
			for (n = 0; n < symbols.count; n++)
				inside |=
					!strncmp(gw_elf_symbol_name(&symbols, n), "take_gil", 8) &&
					sites->site[i].virtual_address -
							symbols.symbol[n].st_value <
						symbols.symbol[n].st_size;
			assert_int_equal(inside, sites->site[i].kind == GW_SITE_ACQUIRE);
		}
		assert_string_equal(sites->how, "symbols");
		gw_elf_symbols_free(&symbols);
	}
	gw_elf_close(elf);
}

/* The same through the sandbox, as gilwatch does it; what it took goes to the caller. */
static void check_sandboxed(int fd, const struct gw_sites *sites, struct gw_sandbox_use *use)
{
	const struct gw_sites_files files = {.file = fd, .debug = {-1, -1}};
	struct gw_error err = {0};
	struct gw_sites boxed;

	assert_int_equal(gw_file_find_sites(&files, "the file", &boxed, use, &err), 0);
	assert_string_equal(err.text, "");
	assert_memory_equal(&boxed, sites, sizeof(boxed));
}

static void check_interpreter(struct files *files, const char *path)
{
	struct gw_sandbox_use use = {0};
	struct gw_error err = {0};
	struct gw_sites sites;
	size_t i, cheap = 0;
	struct stat status;
	double start, took;
	int code, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (!fstat(fd, &status) && S_ISREG(status.st_mode) && !seen_before(files, &status) &&
	    minor_of(path) >= 8 && holds_runtime(fd)) {
		start = seconds();
		code = find_sites(fd, &sites, &err);
		if (code)
			fail_msg("%s: %d: %s", path, code, err.text);
		for (i = 0; i < sites.count; i++)
			cheap += sites.site[i].cheap;
		took = seconds() - start;
		check_sandboxed(fd, &sites, &use);
		print_message("%-48s %-8s %2zu acquire %2zu release %s %6.1f ms; sandboxed %.1f ms "
			      "CPU, %.1f MiB\n",
			      path, sites.how, count_kind(&sites, GW_SITE_ACQUIRE),
			      count_kind(&sites, GW_SITE_RELEASE),
			      cheap == sites.count ? "all cheap" : "NOT all cheap", took * 1e3,
			      (double)use.cpu_us / 1e3, (double)use.peak_kib / 1024);
		/* Where there are two witnesses, they agree. */
		assert_string_equal(sites.disagreement, "");
		assert_true(sites.function_count >= 1);
		if (!strcmp(sites.how, "calls"))
			check_without_sections(path);
		assert_true(count_kind(&sites, GW_SITE_ACQUIRE) >= 1);
		assert_true(count_kind(&sites, GW_SITE_RELEASE) >= 1);
		check_symbol_bounds(fd, &sites);
		files->checked++;
	}
	close(fd);
}

static void check_matching(struct files *files, const char *root, const char *pattern)
{
	char path[1024];
	glob_t matches;
	size_t i;

	snprintf(path, sizeof(path), "%s%s", root, pattern);
	if (!glob(path, 0, NULL, &matches)) {
		for (i = 0; i < matches.gl_pathc; i++)
			check_interpreter(files, matches.gl_pathv[i]);
		globfree(&matches);
	}
}

/* Where pyenv keeps its interpreters; "" if it cannot be told. */
static void pyenv_root(char root[512])
{
	const char *variable = getenv("PYENV_ROOT"), *home = getenv("HOME");
	FILE *pipe;

	root[0] = '\0';
	if (variable && *variable) {
		snprintf(root, 512, "%s", variable);
		return;
	}
	pipe = popen("pyenv root 2>/dev/null", "r");
	if (pipe) {
		if (!fgets(root, 512, pipe))
			root[0] = '\0';
		pclose(pipe);
		root[strcspn(root, "\n")] = '\0';
	}
	if (!root[0] && home)
		snprintf(root, 512, "%s/.pyenv", home);
}

static void test_interpreters(void **state)
{
	struct files files = {0};
	char root[512];
	char *more = strdup(getenv("GILWATCH_BINARIES") ? getenv("GILWATCH_BINARIES") : "");

	(void)state;
#if !defined(__x86_64__)
	skip();
#endif
	check_matching(&files, "/usr/bin/", "python3.*");
	check_matching(&files, "/usr/lib/x86_64-linux-gnu/", "libpython3*.so*");
	pyenv_root(root);
	if (root[0]) {
		check_matching(&files, root, "/versions/*/lib/libpython3*.so*");
		check_matching(&files, root, "/versions/*/bin/python3.*");
	}
	for (char *at = more, *path; (path = strsep(&at, ":"));)
		check_matching(&files, "", path);
	free(more);
	print_message("%zu interpreters\n", files.checked);
	if (!files.checked)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compiled),	cmocka_unit_test(test_compiled_by_clang),
		cmocka_unit_test(test_assembled),	cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_no_unwind_table), cmocka_unit_test(test_debug_file),
		cmocka_unit_test(test_debugdata),	cmocka_unit_test(test_disagreement),
		cmocka_unit_test(test_names_alone),	cmocka_unit_test(test_without_sections),
		cmocka_unit_test(test_not_elf),		cmocka_unit_test(test_no_gil),
		cmocka_unit_test(test_truncated),	cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_lying_sections),	cmocka_unit_test(test_lying_segments),
		cmocka_unit_test(test_other_machines),	cmocka_unit_test(test_view),
		cmocka_unit_test(test_functions),	cmocka_unit_test(test_interpreters),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
