// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe/features.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe/rights.h"

/* PROC_PID_INIT_INO of include/linux/proc_ns.h, the same in every kernel since 3.8. */
#define GW_INITIAL_PID_NAMESPACE 0xEFFFFFFCU

static int require_capabilities(struct gw_error *err)
{
	char missing[64] = "";
	uint64_t bits = 0;

	if (gw_rights_effective(&bits))
		return 0; /* no /proc: the attempt itself will tell */
	for (size_t i = 0; i < gw_capability_count; i++) {
		const struct gw_capability *needed = &gw_capabilities[i];

		if (needed->bit == GW_CAP_SYS_ADMIN_BIT || gw_rights_have(bits, needed->bit))
			continue;
		if (missing[0])
			strcat(missing, ", ");
		strcat(missing, needed->name);
	}
	if (!missing[0])
		return 0;
	return gw_error_set(err, -EPERM, GW_STATUS_RIGHTS,
			    "gilwatch has no right to measure: it lacks %s; run it with sudo",
			    missing);
}

int gw_features_foreign_pids(void)
{
	struct stat ns;

	return !stat("/proc/self/ns/pid", &ns) && ns.st_ino != GW_INITIAL_PID_NAMESPACE;
}

int gw_features_require(struct gw_error *err)
{
	int code = require_capabilities(err);

	if (code)
		return code;
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return gw_error_set(err, -ENOTSUP, GW_STATUS_KERNEL,
				    "this kernel does not describe its types (no "
				    "/sys/kernel/btf/vmlinux): gilwatch needs one built with "
				    "CONFIG_DEBUG_INFO_BTF=y, as distributions' kernels are");
	return 0;
}

static int switch_has_state(const struct btf *btf)
{
	const struct btf_type *type;
	__s32 id;

	/* void (*)(void *, bool, struct task_struct *, struct task_struct *, unsigned int) */
	id = btf__find_by_name_kind(btf, "btf_trace_sched_switch", BTF_KIND_TYPEDEF);
	type = id > 0 ? btf__type_by_id(btf, btf__type_by_id(btf, id)->type) : NULL;
	if (type && btf_is_ptr(type))
		type = btf__type_by_id(btf, type->type);
	return type && btf_is_func_proto(type) && btf_vlen(type) >= 5;
}

void gw_features_read(struct gw_features *features)
{
	struct btf *btf = btf__load_vmlinux_btf();

	*features = (struct gw_features){0};
	if (!btf)
		return;
	features->switch_has_state = switch_has_state(btf);
	features->map_memory = btf__find_by_name_kind(btf, "bpf_mem_alloc", BTF_KIND_STRUCT) > 0;
	/* Every helper leaves the type of its body behind (BPF_CALL in include/linux/filter.h). */
	features->sleeping_iterator =
		btf__find_by_name_kind(btf, "btf_bpf_copy_from_user_task", BTF_KIND_TYPEDEF) > 0;
	btf__free(btf);
}
