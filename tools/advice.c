// SPDX-License-Identifier: GPL-2.0-only
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"

#define MAX_HEADROOM 1048576LL
#define MAX_MAX_JOBS 16769024LL

static const struct {
	const char *name;	/* of the fault; a prefix if it ends in _ */
	const char *sentence;
	const char *parameter;	/* that cures it */
} advices[] = {
	{ "shortfall", "Maps have room for more references than there may be jobs: allow more jobs.",
	  "max_jobs" },
	{ "maps_unwatched", "There was no memory to watch some maps: free memory, then load the guard again.",
	  NULL },
	{ "empty", "A reference was dropped when no job was left: keep more jobs in reserve.",
	  "headroom" },
	{ "leaked", "Some objects stay in memory until reboot, since no job was left: keep more jobs in reserve.",
	  "headroom" },
	{ "kept", "References stayed in their slots, since no job was left: keep more jobs in reserve.",
	  "headroom" },
	{ "bypassed", "A BPF fexit on this kernel bypassed the guard: detach it (kptr-nmi-guard exposure), see limits.md.",
	  NULL },
	{ "references", "The count of reserve=exact went below 0: this is a bug of the guard, report it.",
	  NULL },
	{ "inlined", "Some destructors ran in NMI, since no job was left: keep more jobs in reserve.",
	  "headroom" },
	{ "table_full", "A destructor found no place in the table of 256: unload modules that bring kptr types.",
	  NULL },
	{ "missed", "Kprobes missed calls: boot a kernel with CONFIG_DYNAMIC_FTRACE_WITH_ARGS, load with hook=auto.",
	  NULL },
	{ "refused", "Exchanges were refused, since no job could be promised: allow more jobs.",
	  "max_jobs" },
	{ "bad_context", "A destructor was about to run in NMI: this is a bug of the guard, report it.",
	  NULL },
	{ "door_release_", "The function can't be hooked: unload the livepatch that holds it (the kernel log names it), then load the guard again.",
	  NULL },
	{ "storage_delete", "Deletes of local storage in NMI are not refused: unload the livepatch that holds the function, then load the guard again.",
	  NULL },
	{ "map_watch", "Maps are not seen, or those that are older than the guard: load the guard before other users of BPF, or with jobs= for all references in maps (see the kernel log).",
	  NULL },
	{ "door_teardown", "The teardown door can't be opened: see the kernel log, then load the guard again.",
	  NULL },
};

static int find(const char *name)
{
	size_t i, len;

	for (i = 0; i < sizeof(advices) / sizeof(*advices); i++) {
		len = strlen(advices[i].name);
		if (!strcmp(name, advices[i].name) ||
		    (advices[i].name[len - 1] == '_' && !strncmp(name, advices[i].name, len)))
			return i;
	}
	return -1;
}

const char *advice_for(const char *name)
{
	int i = find(name);

	return i < 0 ? "See kptr_nmi_guard(4)." : advices[i].sentence;
}

static long long parameter(const char *root, const char *name)
{
	char path[PATH_MAX], value[64];

	snprintf(path, sizeof(path), "%s/sys/module/kptr_nmi_guard/parameters/%s", root, name);
	return read_line(path, value, sizeof(value)) ? atoll(value) : -1;
}

static long long at_least(long long wanted, long long limit)
{
	long long value = 4096;	/* the default of jobs=, of which max_jobs must not be less */

	while (value < wanted && value < limit)
		value *= 2;
	return value < limit ? value : limit;
}

static long long cure(const struct guard *guard, const char *root, const char *name)
{
	long long now = parameter(root, name), wanted;

	if (!strcmp(name, "max_jobs")) {
		wanted = guard_number(guard, "wanted");
		if (wanted <= now)
			wanted = 2 * now;
		return at_least(wanted, MAX_MAX_JOBS);
	}
	wanted = 2 * guard_number(guard, "peak_pending");
	if (wanted < 2 * now)
		wanted = 2 * now;
	return at_least(wanted, MAX_HEADROOM);
}

bool advice_options(const struct guard *guard, const char *root, char *line, size_t size)
{
	static const char * const cures[] = { "headroom", "max_jobs" };
	size_t i, k, len;
	bool found = false;

	len = snprintf(line, size, "options kptr_nmi_guard");
	for (k = 0; k < sizeof(cures) / sizeof(*cures); k++) {
		bool wanted = false;

		for (i = 0; i < guard->nr_faults; i++) {
			int n = find(guard->faults[i].name);

			wanted |= n >= 0 && advices[n].parameter &&
				  !strcmp(advices[n].parameter, cures[k]);
		}
		if (!wanted || len >= size)
			continue;
		found = true;
		len += snprintf(line + len, size - len, " %s=%lld", cures[k],
				cure(guard, root, cures[k]));
	}
	return found;
}
