// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe/sums.h"

#include <bpf/bpf.h>
#include <errno.h>

static const enum gw_sum of_gils[] = {GW_SUM_GIL_HOLD, GW_SUM_GIL_WAIT};

#define OF_GILS (sizeof(of_gils) / sizeof(of_gils[0]))

int gw_sums_begin(const struct bpf_map *map, uint32_t gil)
{
	static const struct gw_hist empty;

	for (size_t i = 0; i < OF_GILS; i++) {
		struct gw_sum_key key = {.which = of_gils[i], .slot = gil};

		if (bpf_map_update_elem(bpf_map__fd(map), &key, &empty, BPF_ANY))
			return -errno;
	}
	return 0;
}

static void add(struct gw_hist *to, const struct gw_hist *from)
{
	for (int i = 0; i < GW_HIST_BUCKETS; i++)
		to->bucket[i] += from->bucket[i];
	to->octaves |= from->octaves;
	to->sum_ns += from->sum_ns;
	if (from->max_ns > to->max_ns)
		to->max_ns = from->max_ns;
}

void gw_sums_retire(const struct bpf_map *map, uint32_t gil)
{
	uint32_t first = gil - gil % GW_GILS_PER_PROCESS;
	int fd = bpf_map__fd(map);

	for (size_t i = 0; i < OF_GILS; i++) {
		struct gw_sum_key gone = {.which = of_gils[i], .slot = gil};
		struct gw_sum_key all = {.which = of_gils[i], .slot = first};
		struct gw_hist hist, sum = {0};

		if (bpf_map_lookup_elem(fd, &gone, &hist))
			continue;
		bpf_map_lookup_elem(fd, &all, &sum);
		add(&sum, &hist);
		bpf_map_update_elem(fd, &all, &sum, BPF_ANY);
		bpf_map_delete_elem(fd, &gone);
	}
}

static void forget(const struct bpf_map *map, enum gw_sum which, uint32_t slot)
{
	struct gw_sum_key key = {.which = which, .slot = slot};

	bpf_map_delete_elem(bpf_map__fd(map), &key);
}

void gw_sums_forget(const struct bpf_map *map, uint32_t process)
{
	forget(map, GW_SUM_ENDED_HOLD, process);
	forget(map, GW_SUM_ENDED_WAIT, process);
	forget(map, GW_SUM_ENDED_RESUME, process);
	for (uint32_t i = 0; i < GW_GILS_PER_PROCESS; i++)
		for (size_t j = 0; j < OF_GILS; j++)
			forget(map, of_gils[j], GW_GIL_SLOT(process, i));
}

int gw_sums_read(const struct bpf_map *map, struct gw_raw *raw)
{
	int fd = bpf_map__fd(map), code = 0;
	struct gw_sum_key key, *at = NULL;
	struct gw_hist hist;

	while (!code && !bpf_map_get_next_key(fd, at, &key)) {
		at = &key;
		if (!bpf_map_lookup_elem(fd, at, &hist))
			code = gw_raw_add_sum(raw, &key, &hist);
	}
	gw_raw_sort_sums(raw);
	return code;
}
