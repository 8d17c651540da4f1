/* SPDX-License-Identifier: GPL-2.0-only */
/* What a program does that can hang the machine where it runs. */
#ifndef DANGER_H
#define DANGER_H

#include <stdbool.h>

#include "guard.h"
#include "maps.h"
#include "progs.h"

struct danger {
	/* Drops references where destructors may not run: each a short sentence. */
	char drops[512];
	bool guarded;	/* all of these are deferred by the loaded guard */
	/* What hangs there in spite of the guard. */
	char in_spite[512];
};

void danger_of(const struct prog *prog, const struct maps *maps, const struct guard *guard,
	       struct danger *danger);

#endif /* DANGER_H */
