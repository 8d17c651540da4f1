// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"

#define PREFIX_ "kptr_nmi_guard_"

const struct metric metrics[] = {
	{ "seen_nmi", METRIC_COUNTER, NULL, "Calls of hooked functions in NMI." },
	{ "seen_irqsoff", METRIC_COUNTER, NULL,
	  "Calls of hooked functions with interrupts off, not in NMI (defer=irqsoff)." },
	{ "taken", METRIC_COUNTER, NULL, "References taken over from such calls." },
	{ "taken_release", METRIC_COUNTER, NULL, "References taken over at the release door." },
	{ "not_last", METRIC_COUNTER, NULL,
	  "References that were not the last and were dropped without a job." },
	{ "run", METRIC_COUNTER, NULL, "Destructors run for the references taken over." },
	{ "run_hardirq", METRIC_COUNTER, NULL, "Destructors run by the irq_work." },
	{ "run_worker", METRIC_COUNTER, NULL, "Destructors run in task context." },
	{ "handoffs", METRIC_COUNTER, NULL, "Runs of the irq_work that ended at the budget." },
	{ "empty", METRIC_COUNTER, NULL, "Times that no job was left." },
	{ "table_full", METRIC_COUNTER, NULL,
	  "Times that a destructor found no place in the table of destructors." },
	{ "leaked", METRIC_COUNTER, NULL, "References dropped without their destructor." },
	{ "inlined", METRIC_COUNTER, NULL,
	  "Destructors and releases left to run where they were called." },
	{ "kept", METRIC_COUNTER, NULL, "Times that a reference was left in its slot." },
	{ "raced", METRIC_COUNTER, NULL, "Slots that another CPU emptied first." },
	{ "nested", METRIC_COUNTER, NULL, "Entries while the CPU was inside the guard." },
	{ "adopted", METRIC_COUNTER, NULL, "Maps that were older than the guard." },
	{ "grown", METRIC_COUNTER, NULL, "Jobs added to the pool since load." },
	{ "trimmed", METRIC_COUNTER, NULL, "Jobs whose memory was freed." },
	{ "refused", METRIC_COUNTER, NULL, "Exchanges that were refused (reserve=exact)." },
	{ "refused_nmi", METRIC_COUNTER, NULL,
	  "Deletes of local storage that were refused in NMI." },
	{ "bypassed", METRIC_COUNTER, NULL,
	  "Calls of release functions that were diverted and ran unguarded all the same." },
	{ "bad_context", METRIC_COUNTER, NULL,
	  "Destructors that were about to run in NMI: a bug of the guard." },
	{ "missed", METRIC_COUNTER, NULL, "Calls that kprobes are known to have missed." },
	{ "jobs_total", METRIC_GAUGE, "jobs", "Jobs in the pool." },
	{ "jobs_idle", METRIC_GAUGE, NULL, "Jobs that wait for a reference." },
	{ "pending", METRIC_GAUGE, NULL, "References whose destructor has not run yet." },
	{ "peak_pending", METRIC_GAUGE, NULL, "Most references pending at once since load." },
	{ "longest_run", METRIC_GAUGE, NULL, "Most destructors in one run of the irq_work." },
	{ "references", METRIC_GAUGE, NULL, "References in maps, as counted (reserve=exact)." },
	{ "maps_watched", METRIC_GAUGE, NULL, "Maps that can own references." },
	{ "maps_unwatched", METRIC_GAUGE, NULL, "Maps that there was no memory to watch." },
	{ "reserved", METRIC_GAUGE, NULL, "References that maps have room for." },
	{ "floors", METRIC_GAUGE, NULL, "References reckoned for maps without a number of slots." },
	{ "headroom", METRIC_GAUGE, NULL, "Jobs beyond what maps have room for." },
	{ "wanted", METRIC_GAUGE, NULL, "Jobs that there should be." },
	{ "shortfall", METRIC_GAUGE, NULL, "Jobs that are wanted and can't be had." },
};

const size_t nr_metrics = sizeof(metrics) / sizeof(*metrics);

static void head(FILE *file, const char *name, const char *type, const char *help)
{
	fprintf(file, "# HELP " PREFIX_ "%s %s\n# TYPE " PREFIX_ "%s %s\n", name, help, name, type);
}

static void number(FILE *file, const struct metric *metric, long long value)
{
	char name[96];

	snprintf(name, sizeof(name), "%s%s", metric->name ? metric->name : metric->stat,
		 metric->kind == METRIC_COUNTER ? "_total" : "");
	head(file, name, metric->kind == METRIC_COUNTER ? "counter" : "gauge", metric->help);
	fprintf(file, PREFIX_ "%s %lld\n", name, value);
}

static void label(FILE *file, const char *name, const char *value)
{
	fprintf(file, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', file);
		if (isprint((unsigned char)*value))
			fputc(*value, file);
	}
	fputc('"', file);
}

static void info(const struct guard *guard, FILE *file)
{
	static const char * const texts[] = { "hook", "defer", "on_empty", "reserve" };
	const char *value;
	size_t i;

	head(file, "info", "gauge", "How the guard was loaded.");
	fputs(PREFIX_ "info{", file);
	label(file, "version", guard->version);
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		value = guard_text(guard, texts[i]);
		if (!value)
			continue;
		fputc(',', file);
		label(file, texts[i], value);
	}
	fputs("} 1\n", file);
}

static void doors(const struct guard *guard, FILE *file)
{
	const struct guard_stat *stat;
	size_t i;

	head(file, "door_open", "gauge", "Whether the guard has hooked what gives references back.");
	for (i = 0; i < guard->nr_stats; i++) {
		stat = &guard->stats[i];
		if (strncmp(stat->name, "door_", 5) || !strcmp(stat->value, "no such type"))
			continue;
		fputs(PREFIX_ "door_open{", file);
		label(file, "door", stat->name + 5);
		fprintf(file, "} %d\n", strcmp(stat->value, "none") &&
			strncmp(stat->value, "closed", 6));
	}
}

/* "131ms" in seconds; -1 if it is no such time. */
static double seconds_of(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text)
		return -1;
	return !strcmp(end, "us") ? value / 1e6 : !strcmp(end, "ms") ? value / 1e3 :
	       !strcmp(end, "s") ? value : -1;
}

struct bucket {
	double below;
	long long nr;
};

static int by_time(const void *a, const void *b)
{
	const struct bucket *x = a, *y = b;

	return x->below < y->below ? -1 : x->below > y->below;
}

/* delay_below_TIME counts what is between half of TIME and TIME; le counts all below. */
static void delays(const struct guard *guard, FILE *file)
{
	struct bucket buckets[64];
	long long value, count = 0, longer = 0;
	const char *time;
	double sum = 0;
	size_t i, nr = 0;

	for (i = 0; i < guard->nr_stats; i++) {
		if (strncmp(guard->stats[i].name, "delay_below_", 12))
			continue;
		time = guard->stats[i].name + 12;
		value = guard_number(guard, guard->stats[i].name);
		if (seconds_of(time) < 0)
			longer += value;
		else if (nr < sizeof(buckets) / sizeof(*buckets))
			buckets[nr++] = (struct bucket){ seconds_of(time), value };
	}
	if (!nr)
		return;
	qsort(buckets, nr, sizeof(*buckets), by_time);
	head(file, "delay_seconds", "histogram",
	     "Time from a deferral to the destructor: upper bounds, of the sum too.");
	for (i = 0; i < nr; i++) {
		count += buckets[i].nr;
		sum += buckets[i].nr * buckets[i].below;
		fprintf(file, PREFIX_ "delay_seconds_bucket{le=\"%g\"} %lld\n", buckets[i].below,
			count);
	}
	sum += longer * 2 * buckets[nr - 1].below;
	fprintf(file, PREFIX_ "delay_seconds_bucket{le=\"+Inf\"} %lld\n", count + longer);
	fprintf(file, PREFIX_ "delay_seconds_sum %g\n", sum);
	fprintf(file, PREFIX_ "delay_seconds_count %lld\n", count + longer);
	value = guard_number(guard, "delay_max_us");
	if (value < 0)
		return;
	head(file, "delay_max_seconds", "gauge", "Longest time from a deferral to the destructor.");
	fprintf(file, PREFIX_ "delay_max_seconds %g\n", value / 1e6);
}

/* Of these there is a line only once they ran. */
static void destructors(const struct guard *guard, FILE *file)
{
	bool any = false;
	size_t i;

	for (i = 0; i < guard->nr_stats; i++) {
		if (strncmp(guard->stats[i].name, "run_of_", 7))
			continue;
		if (!any)
			head(file, "destructor_runs_total", "counter", "Runs of each destructor.");
		any = true;
		fputs(PREFIX_ "destructor_runs_total{", file);
		label(file, "destructor", guard->stats[i].name + 7);
		fprintf(file, "} %s\n", guard->stats[i].value);
	}
}

void metrics_print(const struct guard *guard, FILE *file)
{
	long long value;
	size_t i;

	head(file, "loaded", "gauge", "Whether the module is loaded.");
	fprintf(file, PREFIX_ "loaded %d\n", guard->loaded);
	if (!guard->loaded)
		return;
	info(guard, file);
	if (!guard->readable && !guard->health_is_modules)
		return;
	head(file, "healthy", "gauge", "Whether all references that maps have room for are guarded.");
	fprintf(file, PREFIX_ "healthy %d\n", !guard->nr_faults);
	if (guard->readable)
		doors(guard, file);
	for (i = 0; i < nr_metrics; i++) {
		value = guard_number(guard, metrics[i].stat);
		if (value >= 0)
			number(file, &metrics[i], value);
	}
	delays(guard, file);
	destructors(guard, file);
}
