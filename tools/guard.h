/* SPDX-License-Identifier: GPL-2.0-only */
/* What the loaded module says of itself. */
#ifndef GUARD_H
#define GUARD_H

#include <stdbool.h>
#include <stddef.h>

struct guard_stat {
	char name[64];
	char value[192];
};

struct guard {
	bool loaded;
	bool readable;		/* its stats could be read */
	bool health_is_modules;	/* the module said it; else worked out here */
	char version[64];
	struct guard_stat *stats;
	size_t nr_stats;
	struct guard_stat *faults;	/* what `degraded' names */
	size_t nr_faults;
};

/*
 * Reads it all at once. @root is where /sys is, "" as a rule. Prefers sysfs,
 * which everybody may read, to debugfs. Notes what it could not read.
 */
void guard_read(struct guard *guard, const char *root);
void guard_free(struct guard *guard);

/* NULL if there is no such line. */
const char *guard_text(const struct guard *guard, const char *name);
/* -1 if there is no such number. */
long long guard_number(const struct guard *guard, const char *name);
/* Does the release door have the release kfunc of kernel type @type? */
bool guard_releases(const struct guard *guard, const char *type);

/* One line of a file without its newline; false if it can't be read. */
bool read_line(const char *path, char *line, size_t size);

#endif /* GUARD_H */
