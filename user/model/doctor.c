// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/doctor.h"

#include <stdlib.h>
#include <string.h>

void gw_doctor_clear(struct gw_doctor *doctor)
{
	gw_snapshot_clear(&doctor->target.trial);
	memset(doctor, 0, sizeof(*doctor));
}

void gw_doctor_bundle_clear(struct gw_doctor_bundle *bundle)
{
	free(bundle->mapped);
	memset(bundle, 0, sizeof(*bundle));
}
