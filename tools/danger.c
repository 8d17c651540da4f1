// SPDX-License-Identifier: GPL-2.0-only
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/bpf.h>

#include "danger.h"
#include "kernel.h"
#include "out.h"

enum effect {
	EFFECT_TEARDOWN,	/* frees the fields of a map's value */
	EFFECT_STORAGE,		/* the same, of local storage */
};

/* The kernel calls a map's own function where it knows the map: array_map_update_elem(). */
static const struct {
	const char *pattern;
	enum effect effect;
} effects[] = {
	{ "bpf_*_storage_delete*", EFFECT_STORAGE },
	{ "*map_update_elem*", EFFECT_TEARDOWN },
	{ "*map_delete_elem*", EFFECT_TEARDOWN },
};

/*
 * What drops a reference when it is called: made from docs/releases.tsv, which a test
 * compares with the kernel. What is safe, or can't be reached in NMI, is not in it.
 */
static const struct release {
	const char *name;
	const char *hook;	/* the function that the guard hooks for it; NULL: none */
	const char *why;
} releases[] = {
#include "releases.h"
};

/* The guard's stats say by type whether it has hooked a release: door_release_TYPE. */
static const struct {
	const char *hook;
	const char *type;
} doors[] = {
	{ "bpf_task_release", "task_struct" },
	{ "bpf_cgroup_release", "cgroup" },
	{ "bpf_crypto_ctx_release", "bpf_crypto_ctx" },
	{ "bpf_put_mem_cgroup", "mem_cgroup" },
};

static void add(char *list, size_t size, const char *fmt, ...) PRINTF(3, 4);

static void add(char *list, size_t size, const char *fmt, ...)
{
	size_t len = strlen(list);
	va_list args;

	if (len && len + 2 < size) {
		strcat(list, "; ");
		len += 2;
	}
	va_start(args, fmt);
	vsnprintf(list + len, size - len, fmt, args);
	va_end(args);
}

#define ADD(list, ...) add(list, sizeof(list), __VA_ARGS__)

static bool covers(const struct guard *guard, enum context context)
{
	const char *defer = guard_text(guard, "defer");

	if (!guard->loaded)
		return false;
	return context == IN_NMI || (defer && !strcmp(defer, "irqsoff"));
}

static bool is_storage(const struct map *map)
{
	switch (map->type) {
	case BPF_MAP_TYPE_TASK_STORAGE:
	case BPF_MAP_TYPE_SK_STORAGE:
	case BPF_MAP_TYPE_INODE_STORAGE:
	case 32:	/* BPF_MAP_TYPE_CGRP_STORAGE, of Linux 6.2 */
		return true;
	}
	return false;
}

/* What the map's own code does in NMI, kptrs or not: Linux 6.12's own faults. */
static const char *map_hangs(const struct map *map)
{
	unsigned int i;

	for (i = 0; i < map->fields.nr; i++) {
		switch (map->fields.field[i].kind) {
		case FIELD_TIMER:
			return "a timer is cancelled";
		case FIELD_WORK:
			return "a workqueue item is cancelled";
		case FIELD_LIST:
		case FIELD_TREE:
			return "a list's lock is taken";
		default:
			break;
		}
	}
	switch (map->type) {
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
		return "the LRU lock is taken";
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
		return map->flags & BPF_F_NO_PREALLOC ? NULL :
		       "the free list of a preallocated hash is locked";
	}
	return NULL;
}

/* The next of the program's maps that a teardown of @effect can be of. */
static const struct map *next_map(const struct prog *prog, const struct maps *maps,
				  enum effect effect, __u32 *i)
{
	const bool storage = effect == EFFECT_STORAGE;
	const struct map *map;

	while (*i < prog->nr_maps) {
		map = maps_find(maps, prog->maps[(*i)++]);
		if (map && is_storage(map) == storage)
			return map;
	}
	return NULL;
}

struct look {
	const struct prog *prog;
	const struct maps *maps;
	const struct guard *guard;
	struct danger *danger;
	enum context context;
	bool torn[2];	/* said already: of maps, of local storage */
};

/* With its defaults, the guard refuses deletes of local storage in NMI. */
static bool refuses_storage(const struct guard *guard)
{
	const char *state = guard_text(guard, "storage_delete");

	return state && !strcmp(state, "refused in NMI");
}

static void see_teardown(struct look *look, enum effect effect)
{
	/* Since some 7.1 the kernel leaves fields alone in NMI, and refuses storage. */
	bool frees = look->context != IN_NMI || !kernel_get()->cancels;
	bool storage = effect == EFFECT_STORAGE;
	const struct map *map;
	const char *hangs;
	__u32 i = 0;

	if (look->torn[storage])
		return;
	look->torn[storage] = true;
	while ((map = next_map(look->prog, look->maps, effect, &i))) {
		/* Without a kptr, too: it is freed through call_rcu_tasks_trace(). */
		if (storage && look->context == IN_NMI) {
			if (!frees)
				continue;
			ADD(look->danger->drops, "deletes local storage of map %u (%s)", map->id,
			    map->name);
			look->danger->guarded &= refuses_storage(look->guard);
			continue;
		}
		if (fields_own(&map->fields) && frees) {
			ADD(look->danger->drops, "empties values of map %u (%s)", map->id,
			    map->name);
			look->danger->guarded &= covers(look->guard, look->context);
		}
		if (look->context != IN_NMI || kernel_get()->cancels)
			continue;
		hangs = map_hangs(map);
		if (hangs)
			ADD(look->danger->in_spite, "map %u (%s, %s): %s", map->id, map->name,
			    map_type_name(map), hangs);
	}
}

/* Helpers have a variant for some program types. */
static bool is_call_of(const char *name, const char *function)
{
	static const char * const variants[] = { "", "_tp", "_raw_tp", "_pe", "_tracing" };
	size_t len = strlen(function), i;

	if (strncmp(name, function, len))
		return false;
	for (i = 0; i < sizeof(variants) / sizeof(*variants); i++)
		if (!strcmp(name + len, variants[i]))
			return true;
	return false;
}

/* Is the hook there? The teardown door opens when there is something to tear down. */
static bool hooked(const struct guard *guard, const char *hook)
{
	size_t i;

	for (i = 0; i < sizeof(doors) / sizeof(*doors); i++)
		if (!strcmp(doors[i].hook, hook))
			return guard_releases(guard, doors[i].type);
	return true;
}

static void see_release(struct look *look, const struct release *release)
{
	/* Needs bad luck besides: worth a word, no verdict. */
	if (!release->hook) {
		if (look->context == IN_NMI)
			ADD(look->danger->in_spite, "%s(): %s", release->name, release->why);
		return;
	}
	ADD(look->danger->drops, "calls %s()", release->name);
	if (!covers(look->guard, look->context)) {
		look->danger->guarded = false;
	} else if (!hooked(look->guard, release->hook)) {
		look->danger->guarded = false;
		ADD(look->danger->in_spite, "%s() is not hooked", release->name);
	}
}

static void see_call(struct look *look, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(effects) / sizeof(*effects); i++) {
		if (fnmatch(effects[i].pattern, name, 0))
			continue;
		see_teardown(look, effects[i].effect);
		return;
	}
	for (i = 0; i < sizeof(releases) / sizeof(*releases); i++) {
		if (!is_call_of(name, releases[i].name))
			continue;
		see_release(look, &releases[i]);
		return;
	}
}

void danger_of(const struct prog *prog, const struct maps *maps, const struct guard *guard,
	       struct danger *danger)
{
	struct look look = {
		.prog = prog, .maps = maps, .guard = guard, .danger = danger,
		.context = prog->worst ? prog->worst->context : IN_OTHER,
	};
	__u32 i;

	*danger = (struct danger){ .guarded = true };
	if (look.context == IN_OTHER)
		return;
	for (i = 0; i < prog->nr_calls; i++) {
		const char *name = prog_call(prog, i);

		if (name)
			see_call(&look, name);
	}
	if (prog->calls_seen)
		return;
	out_note_unseen("what program %u (%s) calls: needs root and kernel.kptr_restrict below 2",
			prog->id, prog->name);
	/* The careful answer. */
	see_teardown(&look, EFFECT_TEARDOWN);
	see_teardown(&look, EFFECT_STORAGE);
}
