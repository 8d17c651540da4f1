/* SPDX-License-Identifier: GPL-2.0-only */
/* The soak's balance, per kind of reference, from three independent accounts. */
#ifndef KNG_SOAK_VERDICT_H
#define KNG_SOAK_VERDICT_H

#include "options.h"
#include "soak.h"

/* What a guard that lost nothing says of itself. */
#define SOAK_MUST_BE_0 \
	"leaked", "inlined", "empty", "table_full", "bad_context", \
	"missed", "shortfall", "maps_unwatched"

struct soak_verdict {
	const struct options *opt;
	struct soak_ctl ctl;		/* the last state of the programs' */
	struct soak_ctl first;		/* the first one */
	long long taken, not_last;	/* the guard's counts before */
	long long must_be_0[8];
	long long dying;		/* removed cgroups, before */
	long long users[SOAK_OBJECTS];	/* of lasting tasks, before */
	int users_prog;
};

/* References that the guard dealt with since soak_verdict_begin(). */
long long soak_taken(const struct soak_verdict *v);

void soak_verdict_begin(struct soak_verdict *v);

/* After the maps were closed: until all references are back, or time is up. */
void soak_verdict_wait(struct soak_verdict *v);

/* @v->ctl is what the programs counted. */
void soak_verdict_give(struct soak_verdict *v);

/* The tasks and cgroups end, too. */
void soak_verdict_end(struct soak_verdict *v);

/* Program runs in a context. */
long long soak_runs(const struct soak_verdict *v, enum soak_context context);

#endif /* KNG_SOAK_VERDICT_H */
