/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* libmicrohttpd, which only the exporter loads: it brings in gnutls. */
#ifndef GW_MICROHTTPD_H
#define GW_MICROHTTPD_H

#include <microhttpd.h>

#include "util/error.h"

/* Its functions, by their names there. */
struct gw_microhttpd {
	void *library;
	__typeof__(MHD_start_daemon) *start_daemon;
	__typeof__(MHD_stop_daemon) *stop_daemon;
	__typeof__(MHD_run) *run;
	__typeof__(MHD_get_daemon_info) *get_daemon_info;
	__typeof__(MHD_get_timeout) *get_timeout;
	__typeof__(MHD_lookup_connection_value) *lookup_connection_value;
	__typeof__(MHD_create_response_from_buffer) *create_response_from_buffer;
	__typeof__(MHD_create_response_from_buffer_with_free_callback_cls)
		*create_response_from_buffer_with_free_callback_cls;
	__typeof__(MHD_add_response_header) *add_response_header;
	__typeof__(MHD_queue_response) *queue_response;
	__typeof__(MHD_destroy_response) *destroy_response;
};

/* 0 or a negative errno with err set. */
int gw_microhttpd_load(struct gw_microhttpd *microhttpd, struct gw_error *err);

#endif
