// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "export/http.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export/microhttpd.h"
#include "util/library.h"

#define CONNECTIONS_MAX 256
/* Without a byte from the other side, or a byte that it takes. */
#define TIMEOUT_S 10
/* For a request's line and headers; libmicrohttpd answers 431, 414 or 413 where they do not fit. */
#define HEADER_BYTES 16384
/* Of answers that those who asked for them have not fetched yet. */
#define UNFETCHED_BYTES (16U << 20)

struct gw_http {
	struct gw_microhttpd lib;
	struct MHD_Daemon *daemon;
	gw_http_get *get;
	void *data;
	size_t unfetched;
};

/* ---- texts ---- */

struct gw_body *gw_body_new(char *text, size_t length)
{
	struct gw_body *body = malloc(sizeof(*body));

	if (!body) {
		free(text);
		return NULL;
	}
	*body = (struct gw_body){.owners = 1, .length = length, .text = text};
	return body;
}

struct gw_body *gw_body_share(struct gw_body *body)
{
	if (body)
		body->owners++;
	return body;
}

void gw_body_free(struct gw_body *body)
{
	if (!body || --body->owners)
		return;
	free(body->text);
	free(body);
}

/* ---- answers ---- */

/* What libmicrohttpd has to give back. */
struct lent {
	struct gw_http *http;
	struct gw_body *body;
};

static void give_back(void *data)
{
	struct lent *lent = data;

	lent->http->unfetched -= lent->body->length;
	gw_body_free(lent->body);
	free(lent);
}

static struct MHD_Response *lend(struct gw_http *http, struct gw_body *body)
{
	struct lent *lent = malloc(sizeof(*lent));
	struct MHD_Response *response;

	if (!lent) {
		gw_body_free(body);
		return NULL;
	}
	*lent = (struct lent){.http = http, .body = body};
	http->unfetched += body->length;
	response = http->lib.create_response_from_buffer_with_free_callback_cls(
		body->length, body->text, give_back, lent);
	if (!response)
		give_back(lent);
	return response;
}

static enum MHD_Result send_response(const struct gw_http *http, struct MHD_Connection *connection,
				     unsigned int status, const char *type,
				     struct MHD_Response *response)
{
	const struct gw_microhttpd *lib = &http->lib;
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	lib->add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		lib->add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		lib->add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "5");
	result = lib->queue_response(connection, status, response);
	lib->destroy_response(response);
	return result;
}

static enum MHD_Result refuse(const struct gw_http *http, struct MHD_Connection *connection,
			      unsigned int status, const char *text)
{
	struct MHD_Response *response = http->lib.create_response_from_buffer(
		strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);

	return send_response(http, connection, status, "text/plain; charset=utf-8", response);
}

static const char *header(const struct gw_http *http, struct MHD_Connection *connection,
			  const char *name)
{
	return http->lib.lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* A GET has no body that anybody would read. */
static int has_body(const struct gw_http *http, struct MHD_Connection *connection)
{
	const char *length = header(http, connection, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return (length && strcmp(length, "0")) ||
	       header(http, connection, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **state)
{
	static int begun;
	struct gw_http *http = data;
	struct gw_http_answer answer = {.status = MHD_HTTP_INTERNAL_SERVER_ERROR};

	(void)version;
	(void)upload;
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return refuse(http, connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	if (has_body(http, connection))
		return refuse(http, connection, MHD_HTTP_CONTENT_TOO_LARGE,
			      "no body is expected\n");
	/* The first call comes before the request has been read to its end. */
	if (!*state || *upload_size) {
		*state = &begun;
		*upload_size = 0;
		return MHD_YES;
	}
	if (http->unfetched > UNFETCHED_BYTES)
		return refuse(http, connection, MHD_HTTP_SERVICE_UNAVAILABLE,
			      "too many answers wait to be fetched\n");
	http->get(path, header(http, connection, MHD_HTTP_HEADER_ACCEPT), &answer, http->data);
	if (!answer.body)
		return refuse(http, connection, answer.status,
			      "gilwatch could not make this page\n");
	return send_response(http, connection, answer.status, answer.type, lend(http, answer.body));
}

/* ---- the server ---- */

int gw_http_start(int socket, gw_http_get *get, void *data, struct gw_http **http,
		  struct gw_error *err)
{
	struct gw_http *new = calloc(1, sizeof(*new));
	int code;

	if (!new) {
		close(socket);
		return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	}
	new->get = get;
	new->data = data;
	code = gw_microhttpd_load(&new->lib, err);
	if (code) {
		free(new);
		close(socket);
		return code;
	}
	new->daemon = new->lib.start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, on_request, new, MHD_OPTION_LISTEN_SOCKET, socket,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)TIMEOUT_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_BYTES, MHD_OPTION_END);
	if (!new->daemon) {
		gw_library_unload(new->lib.library);
		free(new);
		close(socket);
		return gw_error_set(err, -EIO, GW_STATUS_FAILURE,
				    "the HTTP server does not start (%s)", strerror(errno));
	}
	*http = new;
	return 0;
}

int gw_http_fd(const struct gw_http *http)
{
	return http->lib.get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int gw_http_timeout_ms(const struct gw_http *http)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (http->lib.get_timeout(http->daemon, &ms) != MHD_YES)
		return -1;
	return ms > 60000 ? 60000 : (int)ms;
}

void gw_http_run(struct gw_http *http)
{
	http->lib.run(http->daemon);
}

void gw_http_free(struct gw_http *http)
{
	if (!http)
		return;
	http->lib.stop_daemon(http->daemon);
	gw_library_unload(http->lib.library);
	free(http);
}
