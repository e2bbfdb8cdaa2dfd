// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/thread_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "target/memory.h"

/* For ten thousand threads, each of which takes about a dozen reads; some 100 ms. */
#define READS_MAX 200000
#define BYTES_MAX (32u << 20)
#define NAMES_MAX 20000

struct reading {
	struct gw_object_reader *reader;
	struct gw_thread_names found;
};

static int append(struct gw_thread_names *names, uint64_t self, const char *text)
{
	struct gw_thread_name *more;

	if (names->count == names->room) {
		size_t room = names->room ? 2 * names->room : 64;

		if (room > NAMES_MAX)
			return -E2BIG;
		more = realloc(names->name, room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		names->name = more;
		names->room = room;
	}
	names->name[names->count].self = self;
	memcpy(names->name[names->count++].name, text, GW_OBJECT_TEXT_MAX);
	return 0;
}

/* Threads end while they are read: what is no thread any more has no name, and that is all. */
static int note_thread(uint64_t hash, uint64_t thread, void *data)
{
	struct reading *reading = data;
	char text[GW_OBJECT_TEXT_MAX] = "";
	uint64_t name;
	int ret = gw_object_attribute(reading->reader, thread, "_name", &name);

	if (!ret)
		ret = gw_object_text(reading->reader, name, text);
	if (ret == -EPROTO || ret == -ENOENT || (!ret && !text[0]))
		return 0;
	return ret ? ret : append(&reading->found, hash, text);
}

static int by_self(const void *a, const void *b)
{
	const struct gw_thread_name *one = a, *other = b;

	return one->self < other->self ? -1 : one->self > other->self;
}

/* modules["threading"]._active; a module's dict is its first member. */
static int find_active(struct gw_object_reader *reader, uint64_t modules, uint64_t *active)
{
	uint64_t module, dict;
	int ret = gw_object_dict_get(reader, modules, "threading", &module);

	if (!ret)
		ret = gw_object_word(reader, module + (uint64_t)reader->layout->head, &dict);
	return ret ? ret : gw_object_dict_get(reader, dict, "_active", active);
}

int gw_thread_names_read_from(struct gw_object_reader *reader, uint64_t modules,
			      struct gw_thread_names *names)
{
	struct reading reading = {.reader = reader};
	int ret = names->active ? 0 : find_active(reader, modules, &names->active);

	if (!ret)
		ret = gw_object_dict_each(reader, names->active, note_thread, &reading);
	if (ret) {
		free(reading.found.name);
		names->active = 0; /* perhaps it is another one by now */
		return ret;
	}
	if (reading.found.count)
		qsort(reading.found.name, reading.found.count, sizeof(*reading.found.name),
		      by_self);
	free(names->name);
	reading.found.active = names->active;
	*names = reading.found;
	return 0;
}

static int read_memory(void *data, uint64_t address, void *to, size_t size)
{
	return gw_memory_read(*(const pid_t *)data, address, to, size);
}

int gw_thread_names_read(pid_t pid, const struct gw_python *python, struct gw_thread_names *names)
{
	struct gw_object_reader reader = {
		.read = read_memory,
		.data = &pid,
		.layout = gw_object_layout_for(python->version_hex, python->free_threaded),
		.reads_left = READS_MAX,
		.bytes_left = BYTES_MAX,
	};
	uint64_t interpreter, modules = 0;
	int ret;

	if (!reader.layout)
		return -ENOTSUP;
	ret = gw_object_word(&reader,
			     python->runtime_address +
				     (uint64_t)python->layout.runtime_interpreters_main,
			     &interpreter);
	if (!ret)
		ret = gw_object_word(&reader, interpreter + (uint64_t)python->layout.interp_modules,
				     &modules);
	return ret ? ret : gw_thread_names_read_from(&reader, modules, names);
}

const char *gw_thread_names_find(const struct gw_thread_names *names, uint64_t self)
{
	const struct gw_thread_name key = {.self = self}, *found;

	if (!self || !names->count)
		return NULL;
	found = bsearch(&key, names->name, names->count, sizeof(key), by_self);
	return found ? found->name : NULL;
}

void gw_thread_names_free(struct gw_thread_names *names)
{
	free(names->name);
	*names = (struct gw_thread_names){0};
}
