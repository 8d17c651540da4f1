/* SPDX-License-Identifier: GPL-2.0-only */
/* The guard's stats as Prometheus metrics. */
#ifndef METRICS_H
#define METRICS_H

#include <stdio.h>

#include "guard.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

struct metric {
	const char *stat;	/* the line of the stats */
	enum metric_kind kind;
	const char *name;	/* without kptr_nmi_guard_; NULL: as the stat */
	const char *help;
};

extern const struct metric metrics[];
extern const size_t nr_metrics;

/* In the text format of node_exporter's textfile collector. */
void metrics_print(const struct guard *guard, FILE *file);

#endif /* METRICS_H */
