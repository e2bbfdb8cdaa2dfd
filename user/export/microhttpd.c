// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "export/microhttpd.h"

#include "util/library.h"

#define FUNCTION(member)                                                                           \
	{                                                                                          \
		"MHD_" #member, offsetof(struct gw_microhttpd, member)                             \
	}

int gw_microhttpd_load(struct gw_microhttpd *microhttpd, struct gw_error *err)
{
	static const struct gw_library_function functions[] = {
		FUNCTION(start_daemon),
		FUNCTION(stop_daemon),
		FUNCTION(run),
		FUNCTION(get_daemon_info),
		FUNCTION(get_timeout),
		FUNCTION(lookup_connection_value),
		FUNCTION(create_response_from_buffer),
		FUNCTION(create_response_from_buffer_with_free_callback_cls),
		FUNCTION(add_response_header),
		FUNCTION(queue_response),
		FUNCTION(destroy_response),
	};

	return gw_library_load(GW_MICROHTTPD, functions, sizeof(functions) / sizeof(functions[0]),
			       microhttpd, &microhttpd->library, err);
}
