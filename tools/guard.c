// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guard.h"
#include "out.h"

#define SYSFS "/sys/module/kptr_nmi_guard"
#define DEBUGFS "/sys/kernel/debug/kptr_nmi_guard"

/* All is well if these are 0. Used where the module has no health of its own. */
static const char * const faults[] = {
	"shortfall", "maps_unwatched", "missed", "empty", "table_full", "leaked", "kept",
	"inlined", "refused", "bypassed", "bad_context",
};

bool read_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "r");
	bool ok;

	if (!file)
		return false;
	ok = fgets(line, size, file);
	fclose(file);
	if (ok)
		line[strcspn(line, "\n")] = '\0';
	return ok;
}

static void add(struct guard_stat **list, size_t *nr, const char *name, const char *value)
{
	struct guard_stat *stat;

	*list = xrealloc(*list, *nr + 1, sizeof(**list));
	stat = &(*list)[(*nr)++];
	snprintf(stat->name, sizeof(stat->name), "%s", name);
	snprintf(stat->value, sizeof(stat->value), "%s", value);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct guard_stat *)a)->name,
		      ((const struct guard_stat *)b)->name);
}

/* One file each; a directory has no order. */
static void read_sysfs(struct guard *guard, const char *root)
{
	char path[PATH_MAX], value[192];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s" SYSFS "/stats", root);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s" SYSFS "/stats/%s", root, entry->d_name);
		if (read_line(path, value, sizeof(value)))
			add(&guard->stats, &guard->nr_stats, entry->d_name, value);
	}
	closedir(dir);
	if (guard->nr_stats)
		qsort(guard->stats, guard->nr_stats, sizeof(*guard->stats), by_name);
}

/*
 * What sysfs has not: lines that appear later, of destructors and of other modules. Where
 * sysfs has the others, nobody misses these.
 */
static bool read_debugfs(struct guard *guard, const char *root)
{
	char path[PATH_MAX], line[256], *value;
	FILE *file;

	snprintf(path, sizeof(path), "%s" DEBUGFS "/stats", root);
	file = fopen(path, "r");
	if (!file && guard->nr_stats)
		return true;
	if (!file) {
		out_note_unseen("the guard's stats (%s: %s): %s", path, strerror(errno),
				errno == EACCES ? "run as root" :
				"debugfs has to be mounted there");
		return false;
	}
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		value = strstr(line, ": ");
		if (!value)
			continue;
		*value = '\0';
		if (guard_text(guard, line))
			continue;
		add(&guard->stats, &guard->nr_stats, line, value + 2);
	}
	fclose(file);
	return guard->nr_stats;
}

/* "degraded: name=value, name=value", or "ok" */
static void parse_health(struct guard *guard, char *health)
{
	char *list = strchr(health, ':'), *item, *value;

	if (!strcmp(health, "ok"))
		return;
	if (!list) {
		add(&guard->faults, &guard->nr_faults, "health", health);
		return;
	}
	for (item = strtok(list + 1, ","); item; item = strtok(NULL, ",")) {
		item += strspn(item, " ");
		value = strchr(item, '=');
		if (value)
			*value = '\0';
		add(&guard->faults, &guard->nr_faults, item, value ? value + 1 : "");
	}
}

static void judge(struct guard *guard)
{
	const struct guard_stat *stat;
	const char *value;
	size_t i;

	for (i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		value = guard_text(guard, faults[i]);
		if (value && strcmp(value, "0"))
			add(&guard->faults, &guard->nr_faults, faults[i], value);
	}
	for (i = 0; i < guard->nr_stats; i++) {
		stat = &guard->stats[i];
		if ((!strncmp(stat->name, "door_release_", 13) && !strcmp(stat->value, "none")) ||
		    (!strcmp(stat->name, "storage_delete") && strstr(stat->value, "can't")))
			add(&guard->faults, &guard->nr_faults, stat->name, stat->value);
	}
}

void guard_read(struct guard *guard, const char *root)
{
	char path[PATH_MAX], line[4096];

	*guard = (struct guard){ 0 };
	snprintf(path, sizeof(path), "%s" SYSFS, root);
	if (access(path, F_OK)) {
		snprintf(path, sizeof(path), "%s/sys/module", root);
		if (access(path, F_OK))
			out_note_unseen("whether the module is loaded: there is no %s", path);
		return;
	}
	guard->loaded = true;
	snprintf(path, sizeof(path), "%s" SYSFS "/version", root);
	read_line(path, guard->version, sizeof(guard->version));
	read_sysfs(guard, root);
	guard->readable = read_debugfs(guard, root);
	snprintf(path, sizeof(path), "%s" SYSFS "/health", root);
	if (read_line(path, line, sizeof(line))) {
		guard->health_is_modules = true;
		parse_health(guard, line);
	} else if (guard->readable) {
		judge(guard);
	}
}

void guard_free(struct guard *guard)
{
	free(guard->stats);
	free(guard->faults);
	*guard = (struct guard){ 0 };
}

const char *guard_text(const struct guard *guard, const char *name)
{
	size_t i;

	for (i = 0; i < guard->nr_stats; i++)
		if (!strcmp(guard->stats[i].name, name))
			return guard->stats[i].value;
	return NULL;
}

long long guard_number(const struct guard *guard, const char *name)
{
	const char *value = guard_text(guard, name);
	long long number;
	char *end;

	if (!value)
		return -1;
	number = strtoll(value, &end, 10);
	return end == value || *end ? -1 : number;
}

bool guard_releases(const struct guard *guard, const char *type)
{
	char name[96];
	const char *value;

	snprintf(name, sizeof(name), "door_release_%s", type);
	value = guard_text(guard, name);
	return value && strstr(value, "release");
}
