/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What doctor found as text and as JSON (gilwatch.doctor.v1). */
#ifndef GW_RENDER_DOCTOR_H
#define GW_RENDER_DOCTOR_H

#include <stdio.h>

#include "model/doctor.h"
#include "render/text.h"

/* Both return 0, -ENOMEM, or -EIO if it could not be written. */
int gw_doctor_text_write(const struct gw_doctor *doctor, const struct gw_text_options *options,
			 FILE *out);
/* bundle: NULL, or what is added for a bug report. */
int gw_doctor_json_write(const struct gw_doctor *doctor, const struct gw_doctor_bundle *bundle,
			 FILE *out);

#endif
