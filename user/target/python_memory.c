// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/python_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "target/memory.h"

#define INTERPRETERS_MAX 256
#define INTERVAL_US_MAX	 10000000
#define TRIES		 8
#define TRY_AGAIN_NS	 500000
#define GIL_BYTES_MAX	 256

struct interpreters {
	size_t count;
	int cut_off;
	uint64_t address[INTERPRETERS_MAX]; /* the main one first */
};

static int read_pointer(pid_t pid, uint64_t address, uint64_t *value)
{
	return gw_memory_read(pid, address, value, sizeof(*value));
}

/* -EFAULT behind a pointer that the target gave says that the pointer is none. */
static int not_ours(int ret)
{
	return ret == -EFAULT ? -EPROTO : ret;
}

int gw_python_view_gil(pid_t pid, const struct gw_python *python, uint64_t gil_address,
		       struct gw_gil_view *view)
{
	const struct gw_python_layout *layout = &python->layout;
	unsigned char bytes[GIL_BYTES_MAX];
	uint64_t interval;
	int ret;

	memset(view, 0, sizeof(*view));
	if (layout->gil_size <= 0 || (size_t)layout->gil_size > sizeof(bytes))
		return -EINVAL;
	/* One read, so that the members are from about one moment. */
	ret = gw_memory_read(pid, gil_address, bytes, (size_t)layout->gil_size);
	if (ret)
		return ret;
	memcpy(&interval, bytes + layout->gil_interval, sizeof(interval));
	view->interval_us = interval > UINT32_MAX ? UINT32_MAX : (uint32_t)interval;
	memcpy(&view->last_holder, bytes + layout->gil_last_holder, sizeof(view->last_holder));
	memcpy(&view->locked, bytes + layout->gil_locked, sizeof(view->locked));
	memcpy(&view->switch_number, bytes + layout->gil_switch_number,
	       sizeof(view->switch_number));
	if (view->locked > 0 && view->last_holder &&
	    read_pointer(pid, view->last_holder + (uint64_t)layout->tstate_thread_id,
			 &view->holder_thread_id))
		view->holder_thread_id = 0;
	return 0;
}

/* The thread state of a holder points to its interpreter, which is mapped. */
static int check_holder(pid_t pid, const struct gw_python *python, const struct gw_gil_view *view)
{
	uint64_t interp, word;
	int ret;

	if (view->locked != 1 || !view->last_holder)
		return 0;
	ret = read_pointer(pid, view->last_holder + (uint64_t)python->layout.tstate_interp,
			   &interp);
	if (!ret)
		ret = read_pointer(pid, interp, &word);
	return not_ours(ret);
}

static int check_gil(pid_t pid, const struct gw_python *python, uint64_t gil)
{
	struct gw_gil_view view;
	int ret = gw_python_view_gil(pid, python, gil, &view);

	if (ret)
		return not_ours(ret);
	if (view.locked < -1 || view.locked > 1)
		return -EPROTO;
	if (view.locked == -1) /* create_gil has not run, or destroy_gil has */
		return -EAGAIN;
	/* sys.setswitchinterval refuses 0 and less, and nobody waits longer than seconds. */
	if (view.interval_us < 1 || view.interval_us > INTERVAL_US_MAX)
		return -EPROTO;
	return check_holder(pid, python, &view);
}

/* The newest thread state of an interpreter points back to it. */
static int check_thread_state(pid_t pid, const struct gw_python_layout *layout, uint64_t interp)
{
	uint64_t tstate, back;
	int ret = read_pointer(pid, interp + (uint64_t)layout->interp_tstate_head, &tstate);

	if (ret)
		return not_ours(ret);
	if (!tstate)
		return -EAGAIN;
	ret = read_pointer(pid, tstate + (uint64_t)layout->tstate_interp, &back);
	if (ret)
		return not_ours(ret);
	return back == interp ? 0 : -EPROTO;
}

/* New interpreters are put at the head of the list, so that the main one is its last. */
static int walk_interpreters(pid_t pid, const struct gw_python *python, struct interpreters *list)
{
	const struct gw_python_layout *layout = &python->layout;
	uint64_t main_one, at;
	int ret, reached = 0;

	ret = read_pointer(pid,
			   python->runtime_address + (uint64_t)layout->runtime_interpreters_main,
			   &main_one);
	if (!ret)
		ret = read_pointer(
			pid, python->runtime_address + (uint64_t)layout->runtime_interpreters_head,
			&at);
	if (ret)
		return ret;
	if (!main_one || !at)
		return -EAGAIN;
	list->address[0] = main_one;
	list->count = 1;
	list->cut_off = 0;
	while (at && !list->cut_off) {
		if (at == main_one)
			reached = 1;
		else if (list->count == INTERPRETERS_MAX)
			list->cut_off = 1;
		else
			list->address[list->count++] = at;
		ret = read_pointer(pid, at + (uint64_t)layout->interp_next, &at);
		if (ret)
			return not_ours(ret);
		if (reached)
			break;
	}
	return reached || list->cut_off ? 0 : -EPROTO;
}

static int gil_of(pid_t pid, const struct gw_python *python, uint64_t interp, uint64_t *gil)
{
	const struct gw_python_layout *layout = &python->layout;

	if (layout->runtime_gil >= 0) { /* up to 3.11: one for the process */
		*gil = python->runtime_address + (uint64_t)layout->runtime_gil;
		return 0;
	}
	return not_ours(read_pointer(pid, interp + (uint64_t)layout->interp_gil, gil));
}

/* Keeps the lowest interpreter of each GIL, in ascending order of interpreters. */
static void note_gil(struct gw_python *python, uint64_t address, int64_t interpreter)
{
	struct gw_python_gil *gil = python->gil;
	int i, count = python->gil_count;

	for (i = 0; i < count && gil[i].address != address; i++)
		;
	if (i == count && count == GW_PYTHON_GILS_MAX) {
		python->gils_left_out++;
		return;
	}
	if (i == count)
		python->gil_count++;
	else if (gil[i].interpreter <= interpreter)
		return;
	for (; i > 0 && gil[i - 1].interpreter > interpreter; i--)
		gil[i] = gil[i - 1];
	gil[i] = (struct gw_python_gil){.address = address, .interpreter = interpreter};
}

/* Interpreters but the main one come and go: one that does not look right is left out. */
static void collect_others(pid_t pid, struct gw_python *python, const struct interpreters *list)
{
	for (size_t i = 1; i < list->count; i++) {
		uint64_t interp = list->address[i], gil;
		int64_t id;

		if (gil_of(pid, python, interp, &gil) || !gil || check_gil(pid, python, gil) ||
		    gw_memory_read(pid, interp + (uint64_t)python->layout.interp_id, &id,
				   sizeof(id)) ||
		    id <= 0)
			continue;
		note_gil(python, gil, id);
	}
	if (list->cut_off)
		python->gils_left_out = -1;
}

static int read_enabled(pid_t pid, struct gw_python *python)
{
	int32_t enabled = 1;
	int ret = 0;

	if (python->layout.gil_enabled >= 0)
		ret = gw_memory_read(pid,
				     python->gil[0].address + (uint64_t)python->layout.gil_enabled,
				     &enabled, sizeof(enabled));
	python->gil_enabled = enabled != 0; /* a count of those who need it, INT_MAX for good */
	return ret;
}

static int read_once(pid_t pid, struct gw_python *python, struct interpreters *list)
{
	int64_t id;
	uint64_t gil;
	int ret = walk_interpreters(pid, python, list);

	if (ret)
		return ret;
	ret = gw_memory_read(pid, list->address[0] + (uint64_t)python->layout.interp_id, &id,
			     sizeof(id));
	if (ret || id != 0)
		return ret ? not_ours(ret) : -EPROTO;
	ret = check_thread_state(pid, &python->layout, list->address[0]);
	if (!ret)
		ret = gil_of(pid, python, list->address[0], &gil);
	if (!ret)
		ret = gil ? check_gil(pid, python, gil) : -EAGAIN;
	if (ret)
		return ret;
	python->gil_count = 0;
	python->gils_left_out = 0;
	note_gil(python, gil, 0);
	if (python->layout.runtime_gil < 0)
		collect_others(pid, python, list);
	return read_enabled(pid, python);
}

int gw_python_read_gils(pid_t pid, struct gw_python *python)
{
	const struct timespec pause = {.tv_nsec = TRY_AGAIN_NS};
	struct interpreters *list = malloc(sizeof(*list));
	int ret = list ? -EPROTO : -ENOMEM;

	/* The target runs on: threads end between two reads. What is wrong every time is wrong. */
	for (int i = 0; list && i < TRIES; i++) {
		if (i)
			nanosleep(&pause, NULL);
		ret = read_once(pid, python, list);
		if (ret != -EPROTO && ret != -EAGAIN)
			break;
	}
	free(list);
	return ret;
}
