// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * check_vmlinux OBJECT [BTF]: compares the kernel types that a BPF object was built with, those of
 * vmlinux/vmlinux.h, with a kernel's own, by default the running one's. The CO-RE relocations of
 * the object name the structs; each of their members has to be there, of the same kind and size.
 * What may be missing on a kernel is a struct of a flavour (name___flavour) and a member that the
 * programs ask for with bpf_core_field_exists.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KERNEL_BTF  "/sys/kernel/btf/vmlinux"
#define STRUCTS_MAX 64
#define ASKED_MAX   64
#define DEPTH_MAX   8 /* of types inside of types */

struct member {
	__u32 type;
	__u32 index;
};

struct check {
	struct btf *object, *kernel;
	__u32 structs[STRUCTS_MAX]; /* of the object, that relocations go through */
	size_t struct_count;
	struct member asked[ASKED_MAX]; /* those that bpf_core_field_exists asks for */
	size_t asked_count;
	int passed, failed;
};

/* ---- types ---- */

/* Goes through typedefs, const and the like. */
static const struct btf_type *resolve(const struct btf *btf, __u32 *id)
{
	const struct btf_type *type = btf__type_by_id(btf, *id);

	while (type && (btf_is_mod(type) || btf_is_typedef(type) || btf_is_type_tag(type))) {
		*id = type->type;
		type = btf__type_by_id(btf, *id);
	}
	return type;
}

static const char *name_of(const struct btf *btf, const struct btf_type *type)
{
	return btf__name_by_offset(btf, type->name_off);
}

/* The length of a struct's name without its flavour. */
static size_t plain_length(const char *name)
{
	const char *flavour = strstr(name, "___");

	return flavour ? (size_t)(flavour - name) : strlen(name);
}

static int is_number(const struct btf_type *type)
{
	return btf_is_int(type) || btf_is_any_enum(type);
}

static int is_record(const struct btf_type *type)
{
	return btf_is_composite(type) || btf_is_fwd(type);
}

/* ---- comparing; each returns what differs, NULL for nothing ---- */

static const char *compare(const struct check *c, __u32 ours, __u32 theirs, int depth);

static const char *compare_numbers(const struct btf_type *ours, const struct btf_type *theirs)
{
	if (ours->size != theirs->size)
		return "another size";
	/* Whether a plain char has a sign is the compiler's affair. */
	if (ours->size > 1 && btf_is_int(ours) && btf_is_int(theirs) &&
	    (btf_int_encoding(ours) & BTF_INT_SIGNED) !=
		    (btf_int_encoding(theirs) & BTF_INT_SIGNED))
		return "another sign";
	return NULL;
}

static const char *compare_arrays(const struct check *c, const struct btf_type *ours,
				  const struct btf_type *theirs, int depth)
{
	/* An array of 0 or 1 at a struct's end has as many elements as there is room for. */
	if (btf_array(ours)->nelems != btf_array(theirs)->nelems &&
	    (btf_array(ours)->nelems > 1 || btf_array(theirs)->nelems > 1))
		return "another length";
	return compare(c, btf_array(ours)->type, btf_array(theirs)->type, depth + 1);
}

static const char *compare_records(const struct check *c, const struct btf_type *ours,
				   const struct btf_type *theirs)
{
	const char *name = name_of(c->object, ours);
	size_t length = plain_length(name);

	if (strncmp(name, name_of(c->kernel, theirs), length) || name_of(c->kernel, theirs)[length])
		return "another struct";
	return NULL;
}

static const char *compare(const struct check *c, __u32 ours_id, __u32 theirs_id, int depth)
{
	const struct btf_type *ours = resolve(c->object, &ours_id);
	const struct btf_type *theirs = resolve(c->kernel, &theirs_id);

	if (!ours_id && !theirs_id)
		return NULL; /* void */
	if (!ours || !theirs || !ours_id || !theirs_id || depth > DEPTH_MAX)
		return "another kind";
	if (is_number(ours) && is_number(theirs))
		return compare_numbers(ours, theirs);
	if (is_record(ours) && is_record(theirs))
		return compare_records(c, ours, theirs);
	if (btf_kind(ours) != btf_kind(theirs))
		return "another kind";
	if (btf_is_ptr(ours))
		return compare(c, ours->type, theirs->type, depth + 1);
	if (btf_is_array(ours))
		return compare_arrays(c, ours, theirs, depth);
	return NULL;
}

/* ---- members ---- */

/* Finds a member by name, also in anonymous structs and unions. 0: it is not there. */
static int find_member(const struct btf *btf, __u32 id, const char *name, int depth,
		       struct member *found)
{
	const struct btf_type *type = resolve(btf, &id);

	if (!type || !btf_is_composite(type) || depth > DEPTH_MAX)
		return 0;
	for (__u32 i = 0; i < btf_vlen(type); i++) {
		const struct btf_member *m = &btf_members(type)[i];
		const char *own = btf__name_by_offset(btf, m->name_off);

		if (own && *own && strcmp(own, name))
			continue;
		if (own && *own) {
			found->type = id;
			found->index = i;
			return 1;
		}
		if (find_member(btf, m->type, name, depth + 1, found))
			return 1;
	}
	return 0;
}

static int is_asked_for(const struct check *c, __u32 type, __u32 index)
{
	for (size_t i = 0; i < c->asked_count; i++)
		if (c->asked[i].type == type && c->asked[i].index == index)
			return 1;
	return 0;
}

static const char *compare_members(const struct check *c, __u32 ours_id, __u32 index,
				   const struct member *found)
{
	const struct btf_type *ours = btf__type_by_id(c->object, ours_id);
	const struct btf_type *theirs = btf__type_by_id(c->kernel, found->type);

	if (btf_member_bitfield_size(ours, index) != btf_member_bitfield_size(theirs, found->index))
		return "another number of bits";
	if (btf_member_bitfield_size(ours, index))
		return NULL;
	return compare(c, btf_members(ours)[index].type, btf_members(theirs)[found->index].type, 0);
}

/* Says what is wrong with a member; 1: something is. */
static int check_member(const struct check *c, __u32 ours, const char *where, __u32 theirs,
			__u32 index)
{
	const struct btf_type *type = btf__type_by_id(c->object, ours);
	const char *name = btf__name_by_offset(c->object, btf_members(type)[index].name_off);
	int flavour = plain_length(where) != strlen(where);
	const char *differs;
	struct member found;

	if (!find_member(c->kernel, theirs, name, 0, &found)) {
		int may = flavour || is_asked_for(c, ours, index);

		printf("%s.%s: %s\n", where, name, may ? "not on this kernel" : "MISSING");
		return !may;
	}
	differs = compare_members(c, ours, index, &found);
	if (differs)
		printf("%s.%s: DIFFERS: %s\n", where, name, differs);
	return differs != NULL;
}

static int check_struct(const struct check *c, __u32 ours)
{
	const struct btf_type *type = btf__type_by_id(c->object, ours);
	const char *name = name_of(c->object, type);
	size_t length = plain_length(name);
	char plain[128];
	int bad = 0;
	__s32 theirs;

	snprintf(plain, sizeof(plain), "%.*s", (int)length, name);
	theirs = btf__find_by_name_kind(c->kernel, plain, btf_kind(type));
	if (theirs < 0) {
		printf("%s: %s\n", name, name[length] ? "not on this kernel" : "MISSING");
		return !name[length];
	}
	for (__u32 i = 0; i < btf_vlen(type); i++)
		bad += check_member(c, ours, name, (__u32)theirs, i);
	printf("%s: %s (%u members)\n", name, bad ? "FAILED" : "ok", btf_vlen(type));
	return bad;
}

/* ---- relocations ---- */

static int note_struct(struct check *c, __u32 id)
{
	for (size_t i = 0; i < c->struct_count; i++)
		if (c->structs[i] == id)
			return 0;
	if (c->struct_count == STRUCTS_MAX)
		return -E2BIG;
	c->structs[c->struct_count++] = id;
	return 0;
}

static int note_asked(struct check *c, __u32 type, __u32 index)
{
	if (is_asked_for(c, type, index))
		return 0;
	if (c->asked_count == ASKED_MAX)
		return -E2BIG;
	c->asked[c->asked_count++] = (struct member){.type = type, .index = index};
	return 0;
}

/* One step of an access string: into a member or an element. Returns the type it leads to. */
static int step_into(struct check *c, __u32 *id, __u32 index, int is_asked)
{
	const struct btf_type *type = resolve(c->object, id);
	int code = 0;

	if (!type)
		return -EINVAL;
	if (btf_is_array(type)) {
		*id = btf_array(type)->type;
		return 0;
	}
	if (!btf_is_composite(type) || index >= btf_vlen(type))
		return -EINVAL;
	if (type->name_off)
		code = note_struct(c, *id);
	if (!code && is_asked)
		code = note_asked(c, *id, index);
	*id = btf_members(type)[index].type;
	return code;
}

/* "0:3:1": an index into an array of the root type, then a member or an element at each step. */
static int note_relocation(struct check *c, const struct bpf_core_relo *relo)
{
	const char *at = btf__name_by_offset(c->object, relo->access_str_off);
	__u32 id = relo->type_id;
	int code = 0;

	if (relo->kind > BPF_CORE_FIELD_RSHIFT_U64)
		return 0; /* about a type or an enumeration's value */
	at = at ? strchr(at, ':') : NULL;
	while (!code && at) {
		__u32 index = (__u32)strtoul(at + 1, NULL, 10);

		at = strchr(at + 1, ':');
		code = step_into(c, &id, index, !at && relo->kind == BPF_CORE_FIELD_EXISTS);
	}
	return code;
}

/* .BTF.ext as far as it is of interest here (libbpf, btf.h); offsets count from the header's end.
 */
struct ext_header {
	__u16 magic;
	__u8 version, flags;
	__u32 header_size;
	__u32 functions_at, functions_size;
	__u32 lines_at, lines_size;
	__u32 relocations_at, relocations_size;
};

/* The size of a record, then for each section of programs its name, a count and the records. */
static int note_records(struct check *c, const unsigned char *at, size_t left)
{
	struct bpf_core_relo relo;
	__u32 size, count;
	int code = 0;

	memcpy(&size, at, 4);
	for (at += 4, left -= 4; !code && left >= 8 && size >= sizeof(relo);) {
		memcpy(&count, at + 4, 4);
		at += 8;
		left -= 8;
		for (; !code && count && left >= size; count--, at += size, left -= size) {
			memcpy(&relo, at, sizeof(relo));
			code = note_relocation(c, &relo);
		}
	}
	return code;
}

static int note_relocations(struct check *c, const unsigned char *ext, size_t size)
{
	struct ext_header header;

	if (!ext || size < sizeof(header))
		return -ENOENT;
	memcpy(&header, ext, sizeof(header));
	if (header.magic != BTF_MAGIC || header.relocations_size < 4 ||
	    (__u64)header.header_size + header.relocations_at + header.relocations_size > size)
		return -ENOENT;
	return note_records(c, ext + header.header_size + header.relocations_at,
			    header.relocations_size);
}

/* ---- files ---- */

/* The contents of an ELF file's section; they live as long as the file is open. */
static Elf_Data *find_section(Elf *elf, const char *name)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		const char *own;

		if (!gelf_getshdr(section, &header))
			return NULL;
		own = elf_strptr(elf, names, header.sh_name);
		if (own && !strcmp(own, name))
			return elf_getdata(section, NULL);
	}
	return NULL;
}

static int note_object(struct check *c, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), code = -ENOENT;
	Elf_Data *data = NULL;
	Elf *elf;

	if (fd < 0)
		return -errno;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf)
		data = find_section(elf, ".BTF.ext");
	if (data)
		code = note_relocations(c, data->d_buf, data->d_size);
	elf_end(elf);
	close(fd);
	return code;
}

static int open_files(struct check *c, const char *object, const char *kernel)
{
	c->object = btf__parse(object, NULL);
	if (!c->object) {
		fprintf(stderr, "%s cannot be read: %s\n", object, strerror(errno));
		return -ENOENT;
	}
	c->kernel = btf__parse(kernel, NULL);
	if (!c->kernel) {
		fprintf(stderr, "%s cannot be read: %s\n", kernel, strerror(errno));
		return -ENOENT;
	}
	return 0;
}

static int run(struct check *c, const char *object, const char *kernel)
{
	int code = open_files(c, object, kernel);

	if (code)
		return code;
	code = note_object(c, object);
	if (code || !c->struct_count) {
		fprintf(stderr, "%s: no CO-RE relocations that can be read\n", object);
		return -ENOENT;
	}
	for (size_t i = 0; i < c->struct_count; i++) {
		if (check_struct(c, c->structs[i]))
			c->failed++;
		else
			c->passed++;
	}
	printf("%d passed, %d failed\n", c->passed, c->failed);
	return c->failed ? -EINVAL : 0;
}

int main(int argc, char **argv)
{
	struct check c = {0};
	int code;

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: %s OBJECT [BTF]\n", argv[0]);
		return 2;
	}
	code = run(&c, argv[1], argc == 3 ? argv[2] : KERNEL_BTF);
	btf__free(c.object);
	btf__free(c.kernel);
	return code ? 1 : 0;
}
