/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of the running kernel. */
#ifndef MAPS_H
#define MAPS_H

#include "fields.h"

struct map {
	__u32 id;
	__u32 type;
	__u32 entries;
	__u32 flags;
	char name[16];
	struct fields fields;
	/* Ids of what it holds: maps, or, if its type is BPF_MAP_TYPE_PROG_ARRAY, programs. */
	__u32 *inner;
	size_t nr_inner;
};

struct maps {
	struct map *map;
	size_t nr;
};

/* 0, or -errno where the kernel does not let us look. */
int maps_read(struct maps *maps);
const struct map *maps_find(const struct maps *maps, __u32 id);
const char *map_type_name(const struct map *map);

#endif /* MAPS_H */
