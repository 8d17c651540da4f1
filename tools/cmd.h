/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands, and what their exit status says. */
#ifndef CMD_H
#define CMD_H

#include <stdbool.h>

enum exit_status {
	EXIT_GOOD	= 0,	/* guarded, healthy, not exposed, proved */
	EXIT_BAD	= 1,	/* exposed, degraded, not loaded, disproved */
	EXIT_UNKNOWN	= 2,	/* could not find out; wrong usage */
	EXIT_NO_PROOF	= 77,	/* verify: nothing here could prove it */
};

struct options {
	bool json;
	bool prometheus;	/* status */
	bool nagios;		/* status */
	const char *output;	/* status --prometheus: file, replaced in one step */
	const char *root;	/* where /sys is looked for; "" by default */
	unsigned int seconds;	/* top: between two looks */
	unsigned int count;	/* top: looks; 0: until interrupted */
};

int cmd_doctor(char **argv);
int cmd_exposure(const struct options *opt);
int cmd_verify(const struct options *opt);
int cmd_status(const struct options *opt);
int cmd_top(const struct options *opt);

#endif /* CMD_H */
