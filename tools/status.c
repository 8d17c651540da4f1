// SPDX-License-Identifier: GPL-2.0-only
/*
 * status: the verdict first, then what to do about it.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "advice.h"
#include "cmd.h"
#include "guard.h"
#include "metrics.h"
#include "out.h"

enum verdict { OK, DEGRADED, NOT_LOADED, NOT_READABLE };

static const char * const words[] = {
	[OK] = "ok", [DEGRADED] = "degraded", [NOT_LOADED] = "not loaded",
	[NOT_READABLE] = "unknown",
};

static enum verdict judge(const struct guard *guard)
{
	if (!guard->loaded)
		return out_unseen_count() ? NOT_READABLE : NOT_LOADED;
	if (guard->nr_faults)
		return DEGRADED;
	return guard->readable || guard->health_is_modules ? OK : NOT_READABLE;
}

static int status_of(enum verdict verdict)
{
	switch (verdict) {
	case OK:
		return EXIT_GOOD;
	case NOT_READABLE:
		return EXIT_UNKNOWN;
	default:
		return EXIT_BAD;
	}
}

/* A number keeps its type, everything else is a string. */
static json_t *json_value(const char *text)
{
	char *end;
	long long number = strtoll(text, &end, 10);

	return end != text && !*end ? json_integer(number) : json_string(text);
}

static void print_json(const struct guard *guard, enum verdict verdict, const char *options)
{
	json_t *object = json_object(), *faults = json_array(), *stats = json_object();
	json_t *fault;
	size_t i;

	json_put(object, "verdict", json_string(words[verdict]));
	json_put(object, "loaded", json_boolean(guard->loaded));
	if (guard->loaded)
		json_put(object, "version", json_string(guard->version));
	for (i = 0; i < guard->nr_faults; i++) {
		fault = json_object();
		json_put(fault, "name", json_string(guard->faults[i].name));
		json_put(fault, "value", json_value(guard->faults[i].value));
		json_put(fault, "advice", json_string(advice_for(guard->faults[i].name)));
		json_array_append_new(faults, fault);
	}
	json_put(object, "faults", faults);
	if (options)
		json_put(object, "modprobe_options", json_string(options));
	for (i = 0; i < guard->nr_stats; i++)
		json_put(stats, guard->stats[i].name, json_value(guard->stats[i].value));
	json_put(object, "stats", stats);
	json_put(object, "unseen", out_unseen_json());
	out_json(object);
}

static void print_number(const struct guard *guard, const char *stat, const char *what)
{
	long long value = guard_number(guard, stat);

	if (value >= 0)
		printf("  %12lld  %s\n", value, what);
}

static void print_stats(const struct guard *guard)
{
	const char *value;
	size_t i;

	printf("\n  hook: %s   defer: %s   reserve: %s\n",
	       guard_text(guard, "hook") ?: "?", guard_text(guard, "defer") ?: "?",
	       guard_text(guard, "reserve") ?: "?");
	for (i = 0; i < guard->nr_stats; i++) {
		value = guard->stats[i].value;
		if ((!strncmp(guard->stats[i].name, "door_", 5) && strcmp(value, "no such type")) ||
		    !strcmp(guard->stats[i].name, "storage_delete"))
			printf("  %s: %s\n", guard->stats[i].name, value);
	}
	putchar('\n');
	print_number(guard, "maps_watched", "maps that can own kernel references");
	print_number(guard, "reserved", "references that they have room for");
	print_number(guard, "jobs_total", "jobs");
	print_number(guard, "pending", "references whose destructor has still to run");
	print_number(guard, "seen_nmi", "calls of hooked functions in NMI");
	print_number(guard, "taken", "references deferred");
	print_number(guard, "not_last", "references dropped at once, since they were not the last");
	print_number(guard, "delay_max_us", "us was the longest that a destructor had to wait");
}

static void print_text(const struct guard *guard, enum verdict verdict, const char *options)
{
	size_t i;

	switch (verdict) {
	case OK:
		out_tone(TONE_GOOD, "ok:");
		printf(" kptr_nmi_guard %s guards this machine\n", guard->version);
		break;
	case DEGRADED:
		out_tone(TONE_BAD, "degraded:");
		printf(" kptr_nmi_guard %s is loaded, but\n", guard->version);
		break;
	case NOT_LOADED:
		out_tone(TONE_BAD, "not loaded:");
		printf(" nothing guards this machine\n\n"
		       "  Whether it needs a guard:  kptr-nmi-guard exposure\n"
		       "  Whether it can have one:   kptr-nmi-guard doctor\n"
		       "  Load it:                   modprobe kptr_nmi_guard\n");
		break;
	case NOT_READABLE:
		out_tone(TONE_WARN, "unknown:");
		printf(guard->loaded ? " kptr_nmi_guard %s is loaded; how it fares can't be read\n"
		       : " nothing can be read%s\n", guard->version);
		break;
	}
	for (i = 0; i < guard->nr_faults; i++)
		printf("  %s=%s: %s\n", guard->faults[i].name, guard->faults[i].value,
		       advice_for(guard->faults[i].name));
	if (options)
		printf("\nPut this line into " MODPROBE_FILE ", then load the guard\n"
		       "again (systemctl restart kptr-nmi-guard, or modprobe -r kptr_nmi_guard; modprobe kptr_nmi_guard):\n\n    %s\n",
		       options);
	if (guard->readable)
		print_stats(guard);
	out_unseen();
}

/* The format of the monitoring plugins: a word, a sentence, perf data. */
static int print_nagios(const struct guard *guard, enum verdict verdict)
{
	static const char * const perf[] = { "pending", "jobs_idle", "shortfall", "leaked" };
	static const struct { const char *word; int status; } plugin[] = {
		[OK] = { "OK", 0 }, [DEGRADED] = { "WARNING", 1 },
		[NOT_LOADED] = { "CRITICAL", 2 }, [NOT_READABLE] = { "UNKNOWN", 3 },
	};
	long long value;
	bool bar = false;
	size_t i;

	printf("KPTR_NMI_GUARD %s - %s", plugin[verdict].word, words[verdict]);
	for (i = 0; i < guard->nr_faults; i++)
		printf("%s %s=%s", i ? "," : ":", guard->faults[i].name, guard->faults[i].value);
	for (i = 0; i < sizeof(perf) / sizeof(*perf); i++) {
		value = guard_number(guard, perf[i]);
		if (value < 0)
			continue;
		printf("%s %s=%lld%s", bar ? "" : " |", perf[i], value,
		       strcmp(perf[i], "leaked") ? "" : "c");
		bar = true;
	}
	putchar('\n');
	return plugin[verdict].status;
}

/* A scrape must never see half a file: written beside, then renamed. */
static int print_prometheus(const struct guard *guard, const char *output)
{
	char temporary[PATH_MAX];
	FILE *file = stdout;
	bool failed;

	if (output) {
		snprintf(temporary, sizeof(temporary), "%s.%d", output, (int)getpid());
		file = fopen(temporary, "w");
		if (!file)
			die("cannot write %s: %s", temporary, strerror(errno));
	}
	metrics_print(guard, file);
	failed = ferror(file) | fflush(file);
	if (output) {
		failed |= fclose(file);
		if (failed || rename(temporary, output)) {
			unlink(temporary);
			die("cannot write %s: %s", output, strerror(errno));
		}
	}
	return failed ? EXIT_UNKNOWN : EXIT_GOOD;
}

int cmd_status(const struct options *opt)
{
	char line[256];
	struct guard guard;
	enum verdict verdict;
	const char *options = NULL;
	int status;

	guard_read(&guard, opt->root);
	verdict = judge(&guard);
	if (verdict == DEGRADED && advice_options(&guard, opt->root, line, sizeof(line)))
		options = line;
	status = status_of(verdict);
	if (opt->prometheus)
		status = print_prometheus(&guard, opt->output);
	else if (opt->nagios)
		status = print_nagios(&guard, verdict);
	else if (opt->json)
		print_json(&guard, verdict, options);
	else
		print_text(&guard, verdict, options);
	guard_free(&guard);
	return status;
}
