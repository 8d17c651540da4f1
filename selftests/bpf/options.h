/* SPDX-License-Identifier: GPL-2.0-only */
/* The options that all test programs take; --help lists them. */
#ifndef KNG_OPTIONS_H
#define KNG_OPTIONS_H

#include <stdbool.h>

#include "nmi.h"
#include "shared.h"

/* What the witness has to say about destructors in NMI. */
enum nmi_dtors {
	DTORS_ANY, DTORS_NONE, DTORS_SOME, DTORS_STUBBED, DTORS_WORK
};

struct options {
	const char *map;
	enum kng_kind kptr;
	unsigned int rounds;
	unsigned int slots;
	enum source source;
	bool last;
	enum nmi_dtors expect_nmi;
	unsigned int timeout_ms;	/* of each single wait */
	unsigned int period_us;		/* of a storm */
	const char *variant;		/* of the program, its own meaning */
	bool release;			/* progtypes: by the release kfunc */
	bool hog;			/* no worker runs on the test's CPU */
	const char *at;			/* progtypes: where the breakpoint goes */
	unsigned int dtors;		/* toctou, burst, churn: how many */
	unsigned int seed;		/* soak */
	unsigned int taken;		/* soak: until the guard took so many */
	unsigned int seconds;		/* soak: not longer */
	unsigned int acts;		/* soak: in an NMI */
	bool memory;			/* soak: compare the kernel's */
	bool irqsoff;			/* soak: sched_switch for hardirq */
};

/* Parses; on a wrong option prints the usage and exits with 2. */
void options_parse(struct options *opt, int argc, char **argv);

/* True: --variant is @other; false: it is @plain; anything else is an error. */
bool options_variant(const struct options *opt, const char *plain,
		     const char *other);

const char *kptr_name(enum kng_kind kptr);

#endif /* KNG_OPTIONS_H */
