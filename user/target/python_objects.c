// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/python_objects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Read off the headers of 3.8.18, 3.9.18, 3.10.13, 3.11.7, 3.12.1 and 3.13.0 with offsetof on
 * x86_64: structures that extension modules are compiled against, and so the same in all releases
 * of a minor version.
 */
static const struct gw_object_layout layouts[] = {
	{0x0308, 0, 16, 48, 72, 872, 0, 0},   {0x0309, 0, 16, 48, 72, 864, 0, 0},
	{0x030a, 0, 16, 48, 72, 872, 0, 0},   {0x030b, 0, 16, 48, 72, 872, -24, 0},
	{0x030c, 0, 16, 40, 56, 880, -24, 0}, {0x030d, 0, 16, 40, 56, 880, -24, 8},
	{0x030d, 1, 32, 56, 72, 896, -8, 8},
};

/* In PyTypeObject, counted from the end of the object's head (PyVarObject adds ob_size). */
#define TYPE_BASICSIZE	16
#define TYPE_FLAGS	152
#define TYPE_DICTOFFSET 272
#define INLINE_VALUES	(1u << 2) /* Py_TPFLAGS_INLINE_VALUES, 3.13 */
#define MANAGED_DICT	(1u << 4) /* Py_TPFLAGS_MANAGED_DICT, 3.11 */

#define KEYS_MAX	 65536
#define INDICES_MAX_LOG2 24

/* An entry of a dict, whatever its keys look like. */
struct entry {
	uint64_t hash, key, value;
};

struct keys {
	size_t count;
	struct entry *entry;
};

const struct gw_object_layout *gw_object_layout_for(uint32_t version_hex, int free_threaded)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].version == version_hex >> 16 &&
		    layouts[i].free_threaded == (free_threaded != 0))
			return &layouts[i];
	return NULL;
}

/* ---- bytes ---- */

int gw_object_bytes(struct gw_object_reader *r, uint64_t address, void *to, size_t size)
{
	int ret;

	if (!r->reads_left || size > r->bytes_left)
		return -E2BIG;
	r->reads_left--;
	r->bytes_left -= size;
	if (!address || address % 8)
		return -EPROTO;
	ret = r->read(r->data, address, to, size);
	return ret == -EFAULT ? -EPROTO : ret;
}

int gw_object_word(struct gw_object_reader *r, uint64_t address, uint64_t *value)
{
	return gw_object_bytes(r, address, value, sizeof(*value));
}

static uint64_t word_at(const unsigned char *bytes, size_t at)
{
	uint64_t value;

	memcpy(&value, bytes + at, sizeof(value));
	return value;
}

/* ---- the keys of dicts ---- */

/* Where the entries are, how many, and of which size. */
static int look_at_keys(struct gw_object_reader *r, uint64_t keys, uint64_t *entries,
			uint64_t *count, size_t *entry_size)
{
	unsigned char bytes[40];
	uint64_t size;
	int ret = gw_object_bytes(r, keys, bytes, sizeof(bytes));

	if (ret)
		return ret;
	if (r->layout->version <= 0x030a) {
		size = word_at(bytes, 8);
		if (!size || size & (size - 1) || size > 1ULL << INDICES_MAX_LOG2)
			return -EPROTO;
		*entries = keys + 40 + size * (size <= 0xff ? 1 : size <= 0xffff ? 2 : 4);
		*count = word_at(bytes, 32);
		*entry_size = 24;
	} else {
		if (bytes[8] > INDICES_MAX_LOG2 || bytes[9] > INDICES_MAX_LOG2 + 2 || bytes[10] > 2)
			return -EPROTO;
		size = 1ULL << bytes[8];
		*entries = keys + 32 + (1ULL << bytes[9]);
		*count = word_at(bytes, 24);
		*entry_size = bytes[10] ? 16 : 24;
	}
	return *count > size || *count > KEYS_MAX ? -EPROTO : 0;
}

/* The caller frees keys->entry. */
static int read_keys(struct gw_object_reader *r, uint64_t address, struct keys *keys)
{
	unsigned char *bytes;
	uint64_t entries, count;
	size_t size;
	int ret = look_at_keys(r, address, &entries, &count, &size);

	*keys = (struct keys){0};
	if (ret || !count)
		return ret;
	bytes = malloc((size_t)count * size);
	keys->entry = calloc((size_t)count, sizeof(*keys->entry));
	ret = bytes && keys->entry ? gw_object_bytes(r, entries, bytes, (size_t)count * size)
				   : -ENOMEM;
	for (size_t i = 0; !ret && i < count; i++) {
		const unsigned char *at = bytes + i * size;
		size_t key = size == 24 ? 8 : 0;

		keys->entry[i].hash = size == 24 ? word_at(at, 0) : 0;
		keys->entry[i].key = word_at(at, key);
		keys->entry[i].value = word_at(at, key + 8);
	}
	free(bytes);
	keys->count = ret ? 0 : (size_t)count;
	return ret;
}

static int find_key(struct gw_object_reader *r, const struct keys *keys, const char *key,
		    size_t *index)
{
	for (size_t i = 0; i < keys->count; i++) {
		int same = keys->entry[i].key ? gw_object_is_text(r, keys->entry[i].key, key) : 0;

		if (same < 0)
			return same;
		if (same) {
			*index = i;
			return 0;
		}
	}
	return -ENOENT;
}

/* Shared keys stay where they are as long as somebody has them; others can change in between. */
static int find_shared(struct gw_object_reader *r, uint64_t address, const char *key, size_t *index)
{
	struct keys keys;
	int ret;

	if (r->keys == address && r->key && !strcmp(r->key, key)) {
		*index = r->key_index;
		return 0;
	}
	ret = read_keys(r, address, &keys);
	if (!ret)
		ret = find_key(r, &keys, key, index);
	free(keys.entry);
	if (ret)
		return ret;
	r->keys = address;
	r->key = key;
	r->key_index = *index;
	return 0;
}

static int get_shared(struct gw_object_reader *r, uint64_t address, uint64_t values,
		      const char *key, uint64_t *value)
{
	size_t index = 0;
	int ret = find_shared(r, address, key, &index);

	if (!ret)
		ret = gw_object_word(r, values + 8 * index, value);
	return !ret && !*value ? -ENOENT : ret;
}

/* The value that goes with a key, in the keys themselves, or (values not 0) in a table beside. */
static int get(struct gw_object_reader *r, uint64_t address, uint64_t values, const char *key,
	       uint64_t *value)
{
	struct keys keys;
	size_t index = 0;
	int ret;

	if (values)
		return get_shared(r, address, values, key, value);
	ret = read_keys(r, address, &keys);
	if (!ret)
		ret = find_key(r, &keys, key, &index);
	if (!ret)
		*value = keys.entry[index].value;
	free(keys.entry);
	return !ret && !*value ? -ENOENT : ret;
}

/* ---- dict ---- */

/* values: 0 where they are in the keys. */
static int look_at_dict(struct gw_object_reader *r, uint64_t dict, uint64_t *keys, uint64_t *values)
{
	uint64_t word[4]; /* ma_used, ma_version_tag, ma_keys, ma_values */
	int ret = gw_object_bytes(r, dict + (uint64_t)r->layout->head, word, sizeof(word));

	if (ret)
		return ret;
	*keys = word[2];
	*values = word[3] ? word[3] + (uint64_t)r->layout->values : 0;
	return word[0] > KEYS_MAX ? -EPROTO : 0;
}

int gw_object_dict_get(struct gw_object_reader *r, uint64_t dict, const char *key, uint64_t *value)
{
	uint64_t keys, values;
	int ret = look_at_dict(r, dict, &keys, &values);

	return ret ? ret : get(r, keys, values, key, value);
}

int gw_object_dict_each(struct gw_object_reader *r, uint64_t dict,
			int (*visit)(uint64_t hash, uint64_t value, void *data), void *data)
{
	uint64_t address, values;
	struct keys keys = {0};
	int ret = look_at_dict(r, dict, &address, &values);

	if (!ret && values)
		ret = -EPROTO; /* only keys that are all str share their table */
	if (!ret)
		ret = read_keys(r, address, &keys);
	for (size_t i = 0; !ret && i < keys.count; i++)
		if (keys.entry[i].value)
			ret = visit(keys.entry[i].hash, keys.entry[i].value, data);
	free(keys.entry);
	return ret;
}

/* ---- attributes ---- */

static int look_at_type(struct gw_object_reader *r, uint64_t object)
{
	uint64_t head = (uint64_t)r->layout->head;
	struct gw_object_type type = {0};
	int ret = gw_object_word(r, object + head - 8, &type.address);

	if (ret || type.address == r->type.address)
		return ret;
	r->type.address = 0;
	ret = gw_object_word(r, type.address + head + TYPE_BASICSIZE, &type.basicsize);
	if (!ret)
		ret = gw_object_word(r, type.address + head + TYPE_FLAGS, &type.flags);
	if (!ret)
		ret = gw_object_word(r, type.address + head + TYPE_DICTOFFSET, &type.dictoffset);
	if (!ret)
		r->type = type;
	return ret;
}

static int in_values(struct gw_object_reader *r, uint64_t values, const char *name, uint64_t *value)
{
	uint64_t keys;
	int ret = gw_object_word(r, r->type.address + (uint64_t)r->layout->cached_keys, &keys);

	return ret ? ret : get(r, keys, values + (uint64_t)r->layout->values, name, value);
}

/*
 * 3.11: a pointer to the values before that to the dict, one of them set. 3.12: one word for both,
 * odd if it is the values' less one. 3.13: the values in the object itself, until it gets a dict.
 */
static int in_managed(struct gw_object_reader *r, uint64_t object, const char *name,
		      uint64_t *value)
{
	uint64_t at = object + (uint64_t)(int64_t)r->layout->managed_dict, dict, values = 0;
	int ret = gw_object_word(r, at, &dict);

	if (ret)
		return ret;
	if (r->layout->version == 0x030b && !dict) {
		ret = gw_object_word(r, at - 8, &values);
	} else if (r->layout->version == 0x030c && dict & 1) {
		values = dict + 1;
	} else if (r->layout->version >= 0x030d && !dict && r->type.flags & INLINE_VALUES) {
		values = r->type.basicsize <= 4096 ? object + r->type.basicsize : 0;
	}
	if (ret)
		return ret;
	if (values)
		return in_values(r, values, name, value);
	return dict ? gw_object_dict_get(r, dict, name, value) : -ENOENT;
}

int gw_object_attribute(struct gw_object_reader *r, uint64_t object, const char *name,
			uint64_t *value)
{
	uint64_t dict;
	int ret = look_at_type(r, object);

	if (ret)
		return ret;
	if (r->layout->managed_dict && r->type.flags & MANAGED_DICT)
		return in_managed(r, object, name, value);
	if (!r->type.dictoffset || r->type.dictoffset > 4096) /* none, or counted from its end */
		return -ENOENT;
	ret = gw_object_word(r, object + r->type.dictoffset, &dict);
	return ret ? ret : gw_object_dict_get(r, dict, name, value);
}
