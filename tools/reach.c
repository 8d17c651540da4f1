// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bpf.h>

#include "out.h"
#include "reach.h"

static void add_inner_maps(struct prog *prog, const struct maps *maps)
{
	const struct map *map;
	__u32 i;
	size_t k;

	/* nr_maps grows meanwhile. */
	for (i = 0; i < prog->nr_maps; i++) {
		map = maps_find(maps, prog->maps[i]);
		if (!map || map->type == BPF_MAP_TYPE_PROG_ARRAY)
			continue;
		for (k = 0; k < map->nr_inner; k++) {
			if (prog_uses(prog, map->inner[k]))
				continue;
			prog->maps = xrealloc(prog->maps, prog->nr_maps + 1, sizeof(*prog->maps));
			prog->maps[prog->nr_maps++] = map->inner[k];
		}
	}
}

static struct prog *find(struct progs *progs, __u32 id)
{
	size_t i;

	for (i = 0; i < progs->nr; i++)
		if (progs->prog[i].id == id)
			return &progs->prog[i];
	return NULL;
}

/* True if a program that @caller can call now runs in a worse place than was known. */
static bool follow_tail_calls(struct progs *progs, const struct maps *maps,
			      const struct prog *caller)
{
	const struct map *map;
	struct prog *called;
	bool changed = false;
	__u32 i;
	size_t k;

	for (i = 0; caller->worst && i < caller->nr_maps; i++) {
		map = maps_find(maps, caller->maps[i]);
		if (!map || map->type != BPF_MAP_TYPE_PROG_ARRAY)
			continue;
		for (k = 0; k < map->nr_inner; k++) {
			called = find(progs, map->inner[k]);
			if (!called || (called->worst &&
					called->worst->context >= caller->worst->context))
				continue;
			called->worst = caller->worst;
			called->caller = caller->id;
			changed = true;
		}
	}
	return changed;
}

void reach_add(struct progs *progs, const struct maps *maps)
{
	bool changed;
	size_t i;

	for (i = 0; i < progs->nr; i++)
		add_inner_maps(&progs->prog[i], maps);
	/* Ends: with each round some program's place gets worse, and there are three. */
	do {
		changed = false;
		for (i = 0; i < progs->nr; i++)
			changed |= follow_tail_calls(progs, maps, &progs->prog[i]);
	} while (changed);
}
