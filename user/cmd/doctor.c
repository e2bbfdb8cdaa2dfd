// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/commands.h"
#include "cmd/examine.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "probe/checks.h"
#include "probe/session.h"
#include "render/doctor.h"

static int written(int code, struct gw_error *err)
{
	return code ? gw_error_set(err, code, GW_STATUS_FAILURE, "the report cannot be written: %s",
				   strerror(-code))
		    : 0;
}

static int write_report(const struct gw_doctor *doctor, int json, struct gw_error *err)
{
	struct gw_text_options text = {0};
	int code, closed;

	gw_text_options_detect(&text, stdout);
	code = json ? gw_doctor_json_write(doctor, NULL, stdout)
		    : gw_doctor_text_write(doctor, &text, stdout);
	closed = gw_output_close(stdout, NULL, err);
	return closed ? closed : written(code, err);
}

static int write_bundle(const struct gw_doctor *doctor, const struct gw_options *options, FILE *out,
			struct gw_error *err)
{
	struct gw_doctor_bundle bundle = {0};
	int code = gw_examine_for_bundle(doctor, options->with_command, &bundle), closed;

	if (!code)
		code = gw_doctor_json_write(doctor, &bundle, out);
	gw_doctor_bundle_clear(&bundle);
	closed = gw_output_close(out, options->bundle, err);
	if (!code && !closed && !options->json)
		printf("\nThe report is in %s too: read through it before you send it.\n",
		       options->bundle);
	return closed ? closed : written(code, err);
}

/* why: what cannot be measured, which is the report's business and only sets the exit status. */
static int report(const struct gw_options *options, struct gw_doctor *doctor, struct gw_error *why,
		  struct gw_error *err)
{
	FILE *bundle = NULL;
	int code;

	/* Before the work: a name that is taken is told at once. */
	if (options->bundle && !(bundle = gw_output_create(options->bundle, err)))
		return -EIO;
	gw_checks_run(doctor);
	if (options->pid_count)
		gw_examine_target(doctor, options->pid[0], why);
	else
		gw_examine_host(doctor, why);
	code = write_report(doctor, options->json, err);
	if (bundle && write_bundle(doctor, options, bundle, err))
		code = -EIO;
	return code;
}

int gw_command_doctor(int argc, char **argv)
{
	struct gw_doctor *doctor = calloc(1, sizeof(*doctor));
	struct gw_error err = {0}, why = {0};
	struct gw_options options;
	int code;

	signal(SIGPIPE, SIG_IGN);
	code = doctor ? gw_options_doctor(argc, argv, &options, &err)
		      : gw_error_set(&err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	if (!code && !options.verbose)
		gw_session_be_quiet();
	if (!code)
		code = report(&options, doctor, &why, &err);
	if (doctor)
		gw_doctor_clear(doctor);
	free(doctor);
	if (!code)
		return why.text[0] ? (int)why.status : GW_OK;
	fprintf(stderr, "gilwatch: %s\n", err.text);
	return err.status ? (int)err.status : GW_STATUS_FAILURE;
}
