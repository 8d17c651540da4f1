// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "maps.h"
#include "out.h"

#define MAX_KEYS 65536

static void read_fields(struct map *map, const struct bpf_map_info *info)
{
	struct btf *btf;

	if (!info->btf_id || !info->btf_value_type_id)
		return;
	btf = btf__load_from_kernel_by_id(info->btf_id);
	if (!btf) {
		out_note_unseen("the value of map %u (%s): its BTF can't be read", map->id,
				map->name);
		return;
	}
	fields_of(btf, info->btf_value_type_id, &map->fields);
	btf__free(btf);
	if (map->fields.more)
		out_note_unseen("some fields of map %u (%s): it has too many", map->id, map->name);
}

/* What a map of maps or programs holds can be read as ids. */
static void read_inner(struct map *map, int fd, const struct bpf_map_info *info)
{
	unsigned int keys;
	void *key;
	bool more;
	__u32 id;

	if (info->type != BPF_MAP_TYPE_ARRAY_OF_MAPS && info->type != BPF_MAP_TYPE_HASH_OF_MAPS &&
	    info->type != BPF_MAP_TYPE_PROG_ARRAY)
		return;
	key = xrealloc(NULL, info->key_size, 1);
	more = !bpf_map_get_next_key(fd, NULL, key);
	for (keys = 0; more && keys < MAX_KEYS; keys++) {
		if (!bpf_map_lookup_elem(fd, key, &id)) {
			map->inner = xrealloc(map->inner, map->nr_inner + 1, sizeof(id));
			map->inner[map->nr_inner++] = id;
		}
		more = !bpf_map_get_next_key(fd, key, key);
	}
	if (more)
		out_note_unseen("all that is in map %u (%s): it has too many entries", map->id,
				map->name);
	free(key);
}

static bool read_map(__u32 id, struct map *map)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info);
	int fd = bpf_map_get_fd_by_id(id), err;

	if (fd < 0)
		return false;	/* gone meanwhile */
	err = bpf_obj_get_info_by_fd(fd, &info, &len);
	if (err) {
		close(fd);
		return false;
	}
	*map = (struct map){
		.id = id, .type = info.type, .entries = info.max_entries, .flags = info.map_flags,
	};
	snprintf(map->name, sizeof(map->name), "%s", info.name);
	read_fields(map, &info);
	read_inner(map, fd, &info);
	close(fd);
	return true;
}

int maps_read(struct maps *maps)
{
	__u32 id = 0;

	*maps = (struct maps){ 0 };
	while (!bpf_map_get_next_id(id, &id)) {
		maps->map = xrealloc(maps->map, maps->nr + 1, sizeof(*maps->map));
		if (read_map(id, &maps->map[maps->nr]))
			maps->nr++;
	}
	return errno == ENOENT ? 0 : -errno;
}

const struct map *maps_find(const struct maps *maps, __u32 id)
{
	size_t i;

	for (i = 0; i < maps->nr; i++)
		if (maps->map[i].id == id)
			return &maps->map[i];
	return NULL;
}

const char *map_type_name(const struct map *map)
{
	return libbpf_bpf_map_type_str(map->type) ?: "unknown";
}
