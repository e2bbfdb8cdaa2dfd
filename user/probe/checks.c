// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe/checks.h"

#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "probe/checks_parts.h"
#include "probe/rights.h"
#include "util/text.h"

struct gw_check *gw_checks_add(struct gw_doctor *doctor, const char *name,
			       enum gw_check_result result, const char *found, ...)
{
	struct gw_check *check = &doctor->check[doctor->check_count];
	va_list args;

	if (doctor->check_count + 1 < GW_CHECKS_MAX)
		doctor->check_count++;
	memset(check, 0, sizeof(*check));
	check->name = name;
	check->result = result;
	va_start(args, found);
	vsnprintf(check->found, sizeof(check->found), found, args);
	va_end(args);
	return check;
}

void gw_checks_way_out(struct gw_check *check, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(check->way_out, sizeof(check->way_out), format, args);
	va_end(args);
}

int gw_checks_passed(const struct gw_doctor *doctor, const char *name)
{
	for (size_t i = 0; i < doctor->check_count; i++)
		if (!strcmp(doctor->check[i].name, name))
			return doctor->check[i].result != GW_CHECK_NO;
	return 0;
}

static void check_kernel(struct gw_doctor *doctor)
{
	unsigned int major = 0, minor = 0;
	struct gw_check *check;

	sscanf(doctor->kernel, "%u.%u", &major, &minor);
	if (major > 5 || (major == 5 && minor >= 15)) {
		gw_checks_add(doctor, "kernel", GW_CHECK_OK, "%s, 5.15 or newer", doctor->kernel);
		return;
	}
	check = gw_checks_add(doctor, "kernel",
			      major == 5 && minor >= 10 ? GW_CHECK_NOTE : GW_CHECK_NO,
			      "%s is older than 5.15: some figures may be lacking", doctor->kernel);
	gw_checks_way_out(check, "use a kernel of 5.15 or newer");
}

static void check_btf(struct gw_doctor *doctor)
{
	static const char path[] = "/sys/kernel/btf/vmlinux";
	struct gw_check *check;

	if (!access(path, R_OK)) {
		gw_checks_add(doctor, "btf", GW_CHECK_OK, "the kernel describes its types (%s)",
			      path);
		return;
	}
	check = gw_checks_add(doctor, "btf", GW_CHECK_NO, "%s is not there or not readable", path);
	gw_checks_way_out(check, "use a kernel built with CONFIG_DEBUG_INFO_BTF=y, as those of "
				 "distributions are, and let /sys be mounted");
}

static void check_capability(struct gw_doctor *doctor, uint64_t bits,
			     const struct gw_capability *capability)
{
	int optional = capability->bit == GW_CAP_SYS_ADMIN_BIT;
	struct gw_check *check;

	if (bits >> capability->bit & 1) {
		gw_checks_add(doctor, capability->name, GW_CHECK_OK, "effective; for %s",
			      capability->needed_for);
		return;
	}
	if (gw_rights_have(bits, capability->bit)) {
		gw_checks_add(doctor, capability->name, GW_CHECK_OK,
			      "not effective, but CAP_SYS_ADMIN stands for it; for %s",
			      capability->needed_for);
		return;
	}
	check = gw_checks_add(doctor, capability->name, optional ? GW_CHECK_NOTE : GW_CHECK_NO,
			      "not effective; for %s", capability->needed_for);
	gw_checks_way_out(check, "run gilwatch with sudo, or give it the capability%s",
			  optional ? " if the check of uprobes fails" : "");
}

static void identify(struct gw_doctor *doctor)
{
	struct utsname name;

	if (!uname(&name)) {
		gw_text_copy(doctor->kernel, sizeof(doctor->kernel), name.release);
		gw_text_copy(doctor->machine, sizeof(doctor->machine), name.machine);
	}
	gw_text_copy(doctor->libbpf, sizeof(doctor->libbpf), libbpf_version_string());
	doctor->uid = geteuid();
}

void gw_checks_run(struct gw_doctor *doctor)
{
	uint64_t bits = 0;

	identify(doctor);
	check_kernel(doctor);
	check_btf(doctor);
	if (gw_rights_effective(&bits)) {
		struct gw_check *check =
			gw_checks_add(doctor, "capabilities", GW_CHECK_NO,
				      "they cannot be read from /proc/self/status");

		gw_checks_way_out(check, "mount /proc");
	} else {
		for (size_t i = 0; i < gw_capability_count; i++)
			check_capability(doctor, bits, &gw_capabilities[i]);
	}
	gw_checks_surroundings(doctor, bits);
	gw_checks_attempts(doctor, bits);
}
