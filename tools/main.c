// SPDX-License-Identifier: GPL-2.0-only
/*
 * kptr-nmi-guard: can this machine hang, is it guarded, does the guard work?
 * Each subcommand is a file.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "out.h"

static const char usage[] =
"usage: kptr-nmi-guard COMMAND [OPTION]...\n"
"\n"
"  doctor      can this machine run the guard, and which guard is it running?\n"
"  exposure    which loaded BPF programs could hang it, guarded or not?\n"
"  verify      proves on this machine that the guard defers, without risk\n"
"  status      is the guard well, and what to do if not?\n"
"  top         the same as it changes, each second\n"
"\n"
"  --json              one JSON object (top: one a line)\n"
"  --prometheus        status: metrics for node_exporter's textfile collector\n"
"  --output FILE       with --prometheus: FILE, replaced in one step\n"
"  --nagios            status: one line and exit status for a Nagios plugin\n"
"  --root DIR          status, top: read DIR/sys instead of /sys\n"
"  --seconds N         top: a look each N seconds (default 1)\n"
"  --count N           top: N looks, then end\n"
"  --version, --help\n"
"\n"
"Exit status: 0 all is well (guarded, not exposed, proved), 1 it is not,\n"
"2 could not find out, 77 verify could prove nothing here.\n"
"See kptr-nmi-guard(8).\n";

enum {
	OPT_JSON = 256, OPT_PROMETHEUS, OPT_OUTPUT, OPT_NAGIOS, OPT_ROOT, OPT_SECONDS, OPT_COUNT,
	OPT_VERSION, OPT_HELP,
};

static const struct option known[] = {
	{ "json",	no_argument,		NULL, OPT_JSON },
	{ "prometheus",	no_argument,		NULL, OPT_PROMETHEUS },
	{ "output",	required_argument,	NULL, OPT_OUTPUT },
	{ "nagios",	no_argument,		NULL, OPT_NAGIOS },
	{ "root",	required_argument,	NULL, OPT_ROOT },
	{ "seconds",	required_argument,	NULL, OPT_SECONDS },
	{ "count",	required_argument,	NULL, OPT_COUNT },
	{ "version",	no_argument,		NULL, OPT_VERSION },
	{ "help",	no_argument,		NULL, OPT_HELP },
	{ 0 }
};

static unsigned int number(const char *name, const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end || !value || value > 86400)
		die("--%s %s: give a number from 1 to 86400", name, text);
	return value;
}

static void parse(struct options *opt, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case OPT_JSON:
			opt->json = true;
			break;
		case OPT_PROMETHEUS:
			opt->prometheus = true;
			break;
		case OPT_OUTPUT:
			opt->output = optarg;
			break;
		case OPT_NAGIOS:
			opt->nagios = true;
			break;
		case OPT_ROOT:
			opt->root = optarg;
			break;
		case OPT_SECONDS:
			opt->seconds = number("seconds", optarg);
			break;
		case OPT_COUNT:
			opt->count = number("count", optarg);
			break;
		case OPT_VERSION:
			puts("kptr-nmi-guard " KNG_VERSION);
			exit(EXIT_GOOD);
		case OPT_HELP:
			fputs(usage, stdout);
			exit(EXIT_GOOD);
		default:
			die("see kptr-nmi-guard --help");
		}
	}
}

int main(int argc, char **argv)
{
	struct options opt = { .root = "", .seconds = 1 };
	const char *command = argc > 1 ? argv[1] : "";

	/* The script parses its own. */
	if (!strcmp(command, "doctor"))
		return cmd_doctor(argv + 1);
	parse(&opt, argc, argv);
	if (optind >= argc) {
		fputs(usage, stderr);
		return EXIT_UNKNOWN;
	}
	command = argv[optind];
	if (optind + 1 < argc)
		die("'%s' is one word too many: see kptr-nmi-guard --help", argv[optind + 1]);
	if ((opt.prometheus || opt.nagios || opt.output) && strcmp(command, "status"))
		die("--prometheus, --output and --nagios are for `status'");
	if (opt.json + opt.prometheus + opt.nagios > 1)
		die("give one of --json, --prometheus and --nagios");
	if (opt.output && !opt.prometheus)
		die("--output is for `status --prometheus'");

	if (!strcmp(command, "exposure"))
		return cmd_exposure(&opt);
	if (!strcmp(command, "verify"))
		return cmd_verify(&opt);
	if (!strcmp(command, "status"))
		return cmd_status(&opt);
	if (!strcmp(command, "top"))
		return cmd_top(&opt);
	die("unknown command '%s': see kptr-nmi-guard --help", command);
}
