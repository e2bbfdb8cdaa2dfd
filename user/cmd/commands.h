/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The commands; argv[0] is the command's name. Each returns the program's exit status. */
#ifndef GW_COMMANDS_H
#define GW_COMMANDS_H

int gw_command_summary(int argc, char **argv);
int gw_command_live(int argc, char **argv);
int gw_command_run(int argc, char **argv);
int gw_command_list(int argc, char **argv);
int gw_command_doctor(int argc, char **argv);
int gw_command_show(int argc, char **argv);
int gw_command_diff(int argc, char **argv);
int gw_command_export(int argc, char **argv);

#endif
