// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes a map and pins it as /sys/fs/bpf/kng-KIND, where it lives until that
 * file is removed. If there is that file, the map is opened:
 *
 *   mapof --variant none|task|foreign|...	(foreign: of kng_foreign.ko)
 *
 * The kinds are the maps of mapof.bpf.c.
 */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "common.h"
#include "mapof.skel.h"
#include "options.h"

int main(int argc, char **argv)
{
	struct options opt = { .variant = "none" };
	struct mapof_bpf *skel;
	struct bpf_map *map;
	char path[64];
	int err;

	options_parse(&opt, argc, argv);
	snprintf(path, sizeof(path), "/sys/fs/bpf/kng-%s", opt.variant);
	err = bpf_obj_get(path);
	if (err >= 0) {
		tap_ok(true, "%s: opened", path);
		return tap_done();
	}
	skel = mapof_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	bpf_object__for_each_map(map, skel->obj)
		if (!bpf_map__is_internal(map))
			bpf_map__set_autocreate(map, !strcmp(opt.variant,
							     bpf_map__name(map)));
	err = mapof_bpf__load(skel);
	map = bpf_object__find_map_by_name(skel->obj, opt.variant);
	if (!err)
		err = map ? bpf_map__pin(map, path) : -ENOENT;
	/* Where the kernel does not take the types, libbpf tries without. */
	if (!err && !bpf_map__btf_value_type_id(map))
		err = -EOPNOTSUPP;
	tap_ok(!err, "%s: %s", path, strerror(-err));
	return tap_done();
}
