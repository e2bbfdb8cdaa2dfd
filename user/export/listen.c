// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "export/http.h"

#define BACKLOG 128

static int refuse_address(const char *address, struct gw_error *err)
{
	return gw_error_set(err, -EINVAL, GW_STATUS_USAGE,
			    "\"%.60s\" is no address to listen on: give ADDRESS:PORT, as "
			    "127.0.0.1:9738, [::1]:9738 or :9738 for all addresses",
			    address);
}

/* Splits "HOST:PORT"; the host of a v6 address is in brackets. 0 or -EINVAL. */
static int split(const char *address, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t length = colon ? (size_t)(colon - address) : 0;
	char *end;
	long number;

	if (!colon || length >= size)
		return -EINVAL;
	*port = colon + 1;
	number = strtol(*port, &end, 10);
	if (**port < '0' || **port > '9' || *end || number < 1 || number > 65535)
		return -EINVAL;
	memcpy(host, address, length);
	host[length] = '\0';
	if (host[0] == '[' && length > 2 && host[length - 1] == ']') {
		memmove(host, host + 1, length - 2);
		host[length - 2] = '\0';
		return 0;
	}
	return strchr(host, ':') ? -EINVAL : 0;
}

static int refuse_bind(int error, const char *address, struct gw_error *err)
{
	switch (error) {
	case EADDRINUSE:
		return gw_error_set(err, -error, GW_STATUS_ADDRESS,
				    "somebody listens on %.60s already, perhaps another gilwatch: "
				    "stop it, or choose another port with --listen",
				    address);
	case EADDRNOTAVAIL:
		return gw_error_set(err, -error, GW_STATUS_ADDRESS,
				    "%.60s is no address of this machine: --listen takes one that "
				    "is, as 127.0.0.1:9738",
				    address);
	case EACCES:
		return gw_error_set(err, -error, GW_STATUS_ADDRESS,
				    "ports below 1024 take CAP_NET_BIND_SERVICE, which gilwatch "
				    "lacks: choose another one than that of %.60s",
				    address);
	default:
		return gw_error_set(err, -error, GW_STATUS_ADDRESS,
				    "gilwatch cannot listen on %.60s: %s", address,
				    strerror(error));
	}
}

static int open_socket(const struct addrinfo *at, int *error)
{
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, at->ai_protocol);
	int on = 1, off = 0;

	if (fd < 0) {
		*error = errno;
		return -1;
	}
	/* After a restart the port is free at once. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (at->ai_family == AF_INET6) /* "all addresses" are those of version 4 too */
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (!bind(fd, at->ai_addr, at->ai_addrlen) && !listen(fd, BACKLOG))
		return fd;
	*error = errno;
	close(fd);
	return -1;
}

int gw_http_listen(const char *address, struct gw_error *err)
{
	struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found = NULL;
	const char *port;
	char host[256];
	int fd = -1, error = EADDRNOTAVAIL, code;

	if (split(address, host, sizeof(host), &port))
		return refuse_address(address, err);
	code = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
	if (code)
		return gw_error_set(err, -EINVAL, GW_STATUS_ADDRESS,
				    "\"%.60s\" leads to no address to listen on: %s", address,
				    gai_strerror(code));
	for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
		fd = open_socket(at, &error);
	freeaddrinfo(found);
	return fd >= 0 ? fd : refuse_bind(error, address, err);
}
