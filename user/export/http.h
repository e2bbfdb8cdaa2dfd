/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The HTTP server: GET and HEAD, on one thread, whose loop the caller has. What it takes from
 * whoever connects is bounded: connections, headers, the time to send them, answers not fetched.
 */
#ifndef GW_HTTP_H
#define GW_HTTP_H

#include <stddef.h>

#include "util/error.h"

/* A text that several answers may have in common; made by gw_body_new, with one owner. */
struct gw_body {
	size_t owners;
	size_t length;
	char *text;
};

/* Takes text over, which is from malloc. NULL: out of memory, and text is freed. */
struct gw_body *gw_body_new(char *text, size_t length);
struct gw_body *gw_body_share(struct gw_body *body);
/* Gives one ownership up; accepts NULL. */
void gw_body_free(struct gw_body *body);

struct gw_http_answer {
	unsigned int status;
	const char *type;     /* Content-Type */
	struct gw_body *body; /* its ownership goes to the server */
};

/* Answers a GET of path; accept is that header or NULL. */
typedef void gw_http_get(const char *path, const char *accept, struct gw_http_answer *answer,
			 void *data);

/*
 * Opens a socket that listens on "ADDR:PORT", "[ADDR]:PORT" or ":PORT" (all addresses). Returns it,
 * or a negative errno with err set.
 */
int gw_http_listen(const char *address, struct gw_error *err);

/* Takes the socket over. 0 or a negative errno with err set. */
struct gw_http;
int gw_http_start(int socket, gw_http_get *get, void *data, struct gw_http **http,
		  struct gw_error *err);

/* Becomes readable when there is something to do. */
int gw_http_fd(const struct gw_http *http);
/* Milliseconds until there is something to do all the same; -1: never. */
int gw_http_timeout_ms(const struct gw_http *http);
/* Does what there is to do, without waiting. */
void gw_http_run(struct gw_http *http);

/* Closes all; accepts NULL. */
void gw_http_free(struct gw_http *http);

#endif
