/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The balance of an exerciser, taken from the witness module and from the
 * reference counts themselves, not from the guard's own numbers.
 */
#ifndef KNG_VERDICT_H
#define KNG_VERDICT_H

#include "exercise.h"

struct verdict {
	struct exercise *ex;
	bool racing;		/* slots are filled while they are torn down */
	int references;		/* of the lasting task, before; 0: not counted */
	long long dying;	/* removed cgroups still referred to, before */
	long long leaked;	/* the guard's counts before */
	long long inlined;
	long long not_last;
};

/* Before the first reference is stored, and after the last NMI. */
void verdict_begin(struct verdict *v);
long long verdict_destroyed(const struct exercise *ex);
void verdict_give(struct verdict *v);

#endif /* KNG_VERDICT_H */
