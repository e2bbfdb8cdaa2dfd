/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Telling systemd how a service is doing: sd_notify(3)'s protocol, which is a datagram. */
#ifndef GW_NOTIFY_H
#define GW_NOTIFY_H

/* Sends "READY=1", "STOPPING=1" …; does nothing where no NOTIFY_SOCKET is given. */
void gw_notify(const char *state);

/* "RELOADING=1" with the time that systemd wants beside it. */
void gw_notify_reloading(void);

#endif
