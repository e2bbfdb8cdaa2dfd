/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the memory of a Python process says about its interpreters and GILs; nothing in it is
 * trusted. */
#ifndef GW_PYTHON_MEMORY_H
#define GW_PYTHON_MEMORY_H

#include <sys/types.h>

#include "target/python.h"
#include "util/error.h"

/*
 * Checks that runtime_address and layout of python fit the process and fills in its GILs. Returns
 * 0, or -EAGAIN (not initialised yet, or finalised already), -EPROTO (it does not look like that
 * version), or the errno of the first failed read. err gets no text: only the caller knows what it
 * tried.
 */
int gw_python_read_gils(pid_t pid, struct gw_python *python);

#endif
