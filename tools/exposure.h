/* SPDX-License-Identifier: GPL-2.0-only */
/* What exposure found, and how it is shown. */
#ifndef EXPOSURE_H
#define EXPOSURE_H

#include <jansson.h>

#include "danger.h"
#include "guard.h"
#include "maps.h"
#include "places.h"
#include "progs.h"

enum verdict { NOT_EXPOSED, GUARDED, EXPOSED, UNKNOWN };

struct finding {
	const struct prog *prog;
	struct danger danger;
	enum verdict verdict;
};

/* A map that can own references, and the worst of the programs that use it. */
struct map_use {
	const struct map *map;
	const struct finding *by;	/* NULL: none that runs in NMI or with interrupts off */
};

struct report {
	struct guard guard;
	struct maps maps;
	struct places places;
	struct progs progs;
	struct finding *finding;	/* programs in NMI or with interrupts off, worst first */
	size_t nr;
	struct map_use *use;		/* worst first */
	size_t nr_uses;
	enum verdict verdict;
};

const char *verdict_word(enum verdict verdict);

void exposure_print(const struct report *report);
json_t *exposure_json(const struct report *report);

#endif /* EXPOSURE_H */
