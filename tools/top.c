// SPDX-License-Identifier: GPL-2.0-only
/*
 * top: what changes, second by second, and each map that can own references.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "guard.h"
#include "metrics.h"
#include "out.h"

#define MAPS "/sys/kernel/debug/kptr_nmi_guard/maps"

/* Shown as they are; of everything else, how much it grew. */
static const char * const levels[] = {
	"pending", "peak_pending", "longest_run", "jobs_total", "jobs_idle", "maps_watched",
	"reserved", "headroom", "wanted", "shortfall", "references", "maps_unwatched",
	"delay_max_us", "floors",
};

static bool is_level(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(*levels); i++)
		if (!strcmp(name, levels[i]))
			return true;
	return false;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Calls @show for each number: how much it is, and by how much it grew in a second. */
static void each_number(const struct guard *guard, const struct guard *before, double seconds,
			void (*show)(const char *name, long long value, double rate, void *arg),
			void *arg)
{
	const char *name;
	long long value, old;
	size_t i;

	for (i = 0; i < guard->nr_stats; i++) {
		name = guard->stats[i].name;
		value = guard_number(guard, name);
		old = guard_number(before, name);
		if (value < 0)
			continue;
		show(name, value, is_level(name) || old < 0 || !seconds ? 0 :
		     (value - old) / seconds, arg);
	}
}

static void show_json(const char *name, long long value, double rate, void *arg)
{
	json_t *number = json_object();

	json_put(number, "value", json_integer(value));
	if (!is_level(name))
		json_put(number, "per_second", json_real(rate));
	json_put(arg, name, number);
}

static void show_text(const char *name, long long value, double rate, void *arg)
{
	if (is_level(name))
		printf("  %-16s %12lld\n", name, value);
	else if (value)
		printf("  %-16s %12lld %12.1f/s\n", name, value, rate);
}

/* Root's alone: a map's name says what a program is for. */
static json_t *read_maps(const char *root)
{
	char path[PATH_MAX], line[512];
	json_t *maps = json_array();
	FILE *file;

	snprintf(path, sizeof(path), "%s" MAPS, root);
	file = fopen(path, "r");
	if (!file) {
		out_note_unseen("the maps one by one (%s): run as root, with debugfs mounted",
				path);
		return maps;
	}
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		json_array_append_new(maps, json_string(line));
	}
	fclose(file);
	return maps;
}

static void print_text(const struct guard *guard, const struct guard *before, double seconds,
		       json_t *maps)
{
	json_t *map;
	size_t i;

	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[2J", stdout);
	if (guard->nr_faults)
		out_tone(TONE_BAD, "degraded\n");
	else
		out_tone(TONE_GOOD, "ok\n");
	each_number(guard, before, seconds, show_text, NULL);
	if (json_array_size(maps))
		out_tone(TONE_HEAD, "maps that can own references\n");
	json_array_foreach(maps, i, map)
		printf("  %s\n", json_string_value(map));
	out_unseen();
	putchar('\n');
	fflush(stdout);
}

static void print_json(const struct guard *guard, const struct guard *before, double seconds,
		       json_t *maps)
{
	json_t *object = json_object(), *stats = json_object();

	json_put(object, "verdict", json_string(guard->nr_faults ? "degraded" : "ok"));
	json_put(object, "seconds", json_real(seconds));
	each_number(guard, before, seconds, show_json, stats);
	json_put(object, "stats", stats);
	json_put(object, "maps", json_incref(maps));
	json_put(object, "unseen", out_unseen_json());
	out_json(object);
}

int cmd_top(const struct options *opt)
{
	struct guard before = { 0 }, guard;
	double then = 0, at;
	unsigned int look = 0;
	json_t *maps;

	for (;;) {
		guard_read(&guard, opt->root);
		at = now();
		if (!guard.loaded || !guard.readable)
			return out_unknown(opt->json, guard.loaded ?
					   "the guard's stats can't be read" :
					   "the module is not loaded: see kptr-nmi-guard status");
		maps = read_maps(opt->root);
		(opt->json ? print_json : print_text)(&guard, &before, then ? at - then : 0, maps);
		json_decref(maps);
		guard_free(&before);
		before = guard;
		then = at;
		if (++look == opt->count)
			break;
		sleep(opt->seconds);
	}
	look = before.nr_faults ? EXIT_BAD : EXIT_GOOD;
	guard_free(&before);
	return look;
}
