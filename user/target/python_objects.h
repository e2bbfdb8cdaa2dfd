/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Python objects in the memory of a process, as far as it takes to find the names of threads: str,
 * dict, modules and the attributes of instances, 3.8 - 3.13. Nothing in it is trusted: each read is
 * checked and counted, and a reader that has used up what it may does not read any more.
 */
#ifndef GW_PYTHON_OBJECTS_H
#define GW_PYTHON_OBJECTS_H

#include <stddef.h>
#include <stdint.h>

/* The name of a thread as it is kept: UTF-8, cut between characters. */
#define GW_OBJECT_TEXT_MAX 64

/* How a version lays out its objects. Offsets and sizes in bytes. */
struct gw_object_layout {
	uint16_t version; /* major << 8 | minor */
	uint8_t free_threaded;
	int32_t head;		/* sizeof(PyObject); ob_type is its last member */
	int32_t ascii, compact; /* sizeof(PyASCIIObject), sizeof(PyCompactUnicodeObject) */
	int32_t cached_keys;	/* ht_cached_keys in PyHeapTypeObject */
	int32_t managed_dict;	/* of an instance whose type says so: its dict … */
	int32_t values;		/* values[] in PyDictValues */
};

/* NULL: it has none in the table. */
const struct gw_object_layout *gw_object_layout_for(uint32_t version_hex, int free_threaded);

/* A type, as far as it says where the attributes of its instances are. */
struct gw_object_type {
	uint64_t address, flags, basicsize, dictoffset;
};

/* Where the bytes come from, and how many more may be read. */
struct gw_object_reader {
	int (*read)(void *data, uint64_t address, void *to, size_t size); /* 0 or -errno */
	void *data;
	const struct gw_object_layout *layout;
	size_t reads_left, bytes_left;
	/* Most instances that are looked at are of one type, and share one table of keys: the last
	 * ones seen, 0 at first. */
	struct gw_object_type type;
	uint64_t keys;
	const char *key;
	size_t key_index;
};

/* All of these return 0, -ENOENT (not there), -EPROTO (it does not look like one), -E2BIG (nothing
 * may be read any more), or the errno of a read. */

int gw_object_bytes(struct gw_object_reader *reader, uint64_t address, void *to, size_t size);

/* A pointer, or another word. */
int gw_object_word(struct gw_object_reader *reader, uint64_t address, uint64_t *value);

/* The text of a str as UTF-8; what does not fit is cut, lone surrogates become U+FFFD. */
int gw_object_text(struct gw_object_reader *reader, uint64_t object, char text[GW_OBJECT_TEXT_MAX]);

/* 1: it is that text of ASCII, 0: it is another one, or no str; or as above. */
int gw_object_is_text(struct gw_object_reader *reader, uint64_t object, const char *wanted);

/* The value of a key that is a str of ASCII, in a dict. */
int gw_object_dict_get(struct gw_object_reader *reader, uint64_t dict, const char *key,
		       uint64_t *value);

/* The attribute of an instance that stands in its own dict, or in the values that stand for one. */
int gw_object_attribute(struct gw_object_reader *reader, uint64_t object, const char *name,
			uint64_t *value);

/*
 * Calls visit for each entry of a dict whose keys are int, with the key's hash, which for one of 0
 * to 2^61 - 2 is the number itself. Ends early with what visit returns if that is not 0.
 */
int gw_object_dict_each(struct gw_object_reader *reader, uint64_t dict,
			int (*visit)(uint64_t hash, uint64_t value, void *data), void *data);

#endif
