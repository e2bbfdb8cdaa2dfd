// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "util/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

static int refuse(const char *soname, struct gw_error *err)
{
	const char *why = dlerror();

	return gw_error_set(err, -ENOENT, GW_STATUS_FAILURE,
			    "the library %s cannot be loaded: install the package that has it (%s)",
			    soname, why ? why : "no reason given");
}

int gw_library_load(const char *soname, const struct gw_library_function *function, size_t count,
		    void *table, void **library, struct gw_error *err)
{
	void *loaded = dlopen(soname, RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; loaded && i < count; i++) {
		void *address = dlsym(loaded, function[i].name);

		if (!address) {
			int code = refuse(soname, err);

			dlclose(loaded);
			return code;
		}
		memcpy((char *)table + function[i].offset, &address, sizeof(address));
	}
	if (!loaded)
		return refuse(soname, err);
	*library = loaded;
	return 0;
}

void gw_library_unload(void *library)
{
	if (library)
		dlclose(library);
}
