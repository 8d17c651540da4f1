// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "options.h"

static const char * const kptrs[] = { "task", "cgroup", "cpumask",
				      "crypto_ctx", "foreign", "none", NULL };
static const char * const sources[] = { "fire", "at", "storm",
					"break", "cpu", "hold", "none", NULL };
static const char * const dtors[] = { "any", "0", "some", "stub", "work", NULL };

static const struct option longs[] = {
	{ "map", required_argument, NULL, 'm' },
	{ "kptr", required_argument, NULL, 'k' },
	{ "rounds", required_argument, NULL, 'r' },
	{ "slots", required_argument, NULL, 's' },
	{ "source", required_argument, NULL, 'S' },
	{ "last", no_argument, NULL, 'l' },
	{ "expect-nmi", required_argument, NULL, 'e' },
	{ "timeout", required_argument, NULL, 't' },
	{ "period-us", required_argument, NULL, 'p' },
	{ "variant", required_argument, NULL, 'v' },
	{ "dtors", required_argument, NULL, 'n' },
	{ "release", no_argument, NULL, 'R' },
	{ "at", required_argument, NULL, 'a' },
	{ "hog", no_argument, NULL, 'H' },
	{ "seed", required_argument, NULL, 'D' },
	{ "taken", required_argument, NULL, 'T' },
	{ "seconds", required_argument, NULL, 'c' },
	{ "acts", required_argument, NULL, 'A' },
	{ "memory", no_argument, NULL, 'M' },
	{ "irqsoff", no_argument, NULL, 'I' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

static void help(const char *program, int status)
{
	printf("usage: %s [options]\n"
"  --map TYPE          array percpu_array hash hash_prealloc percpu_hash lru percpu_lru\n"
"                      rhash\n"
"  --kptr KIND         task cgroup cpumask; storage: none\n"
"  --rounds N          default 256\n"
"  --slots N           per round, 1 to %d, default 8\n"
"  --source WHERE      of the NMIs: fire at storm none; cpu: while CPU 1 goes\n"
"                      and comes; hold: on CPU 1, interrupts off a while\n"
"  --hog               the CPU is busy: no worker gets to run there\n"
"  --last              the map holds the last reference\n"
"  --expect-nmi WHAT   destructors in NMI: any 0 some; stub: entered there,\n"
"                      but the work behind them is not done there; work: the\n"
"                      guard comes and goes, only the work is counted\n"
"  --timeout SECONDS   of each wait, default 30\n"
"  --period-us N       between the NMIs of a storm, default 500\n"
"  --variant NAME      what else the program offers\n"
"  --at SYMBOL         progtypes: where the breakpoint goes\n"
"  --release           progtypes: by the release kfunc\n"
"  --dtors N           toctou: go on until so many ran, default 200000;\n"
"                      burst: so many in one NMI, default 100000;\n"
"                      churn: entries of a map, default 16\n"
"  --seed N            soak: of all that is random\n"
"  --taken N           soak: go on until the guard took so many references\n"
"  --seconds N         soak: at most so long; without --taken, just so long\n"
"  --acts N            soak: map operations in an NMI, default 256\n"
"  --memory            soak: the kernel's memory is to be as before\n"
"  --irqsoff           soak: at sched_switch, and the guard defers that, too\n",
	       program, KNG_SLOTS_MAX);
	exit(status);
}

static int word(const char * const *words, const char *text, const char *option)
{
	int i;

	for (i = 0; words[i]; i++)
		if (!strcmp(words[i], text))
			return i;
	die("--%s %s: no such choice", option, text);
}

static unsigned int number(const char *text, unsigned int max,
			   const char *option)
{
	char *end;
	unsigned long n = strtoul(text, &end, 0);

	if (!*text || *end || n < 1 || n > max)
		die("--%s %s: 1 to %u is expected", option, text, max);
	return n;
}

void options_parse(struct options *opt, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'm':
			opt->map = optarg;
			break;
		case 'k':
			opt->kptr = word(kptrs, optarg, "kptr");
			break;
		case 'r':
			opt->rounds = number(optarg, 1000000, "rounds");
			break;
		case 's':
			opt->slots = number(optarg, KNG_SLOTS_MAX, "slots");
			break;
		case 'S':
			opt->source = word(sources, optarg, "source");
			break;
		case 'l':
			opt->last = true;
			break;
		case 'e':
			opt->expect_nmi = word(dtors, optarg, "expect-nmi");
			break;
		case 't':
			opt->timeout_ms = 1000 * number(optarg, 3600, "timeout");
			break;
		case 'p':
			opt->period_us = number(optarg, 1000000, "period-us");
			break;
		case 'v':
			opt->variant = optarg;
			break;
		case 'n':
			opt->dtors = number(optarg, 100000000, "dtors");
			break;
		case 'R':
			opt->release = true;
			break;
		case 'H':
			opt->hog = true;
			break;
		case 'a':
			opt->at = optarg;
			break;
		case 'D':
			opt->seed = number(optarg, UINT32_MAX, "seed");
			break;
		case 'T':
			opt->taken = number(optarg, 1000000000, "taken");
			break;
		case 'c':
			opt->seconds = number(optarg, 1000000, "seconds");
			break;
		case 'A':
			opt->acts = number(optarg, 65536, "acts");
			break;
		case 'M':
			opt->memory = true;
			break;
		case 'I':
			opt->irqsoff = true;
			break;
		default:
			help(argv[0], c == 'h' ? 0 : EXIT_USAGE);
		}
	}
	if (optind < argc)
		help(argv[0], EXIT_USAGE);
}

bool options_variant(const struct options *opt, const char *plain,
		     const char *other)
{
	if (!strcmp(opt->variant, other))
		return true;
	if (strcmp(opt->variant, plain))
		die("--variant %s: %s or %s is expected", opt->variant, plain,
		    other);
	return false;
}

const char *kptr_name(enum kng_kind kptr)
{
	return kptrs[kptr];
}
