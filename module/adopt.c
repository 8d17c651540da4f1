// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps that are older than the guard: getting a descriptor for each takes it past
 * the map watch.
 */
#include <linux/bpf.h>
#include <linux/fdtable.h>
#include <linux/sched.h>

#include "adopt.h"
#include "compat.h"

static struct task_struct *adopter;

bool kng_adopting(void)
{
	return READ_ONCE(adopter) == current;
}

/*
 * Ids are given out in order, so all maps that exist have smaller ones. (They
 * start again after 2^31 maps; of what a machine that has come so far would
 * miss, the release door has the known types.)
 */
static int new_map_id(u32 *id)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(int),
		.value_size = sizeof(int),
		.max_entries = 1,
		.map_name = "kng_last",
	};
	int fd = kern_sys_bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
	struct bpf_map *map;
	int ret = 0;

	if (fd < 0)
		return fd;
	map = bpf_map_get(fd);
	if (!IS_ERR(map)) {
		*id = map->id;
		bpf_map_put(map);
	} else {
		ret = PTR_ERR(map);
	}
	close_fd(fd);
	return ret;
}

int kng_adopt_maps(void)
{
	u32 id, last;
	int ret = new_map_id(&last);

	if (ret)
		return ret;
	WRITE_ONCE(adopter, current);
	for (id = 1; id < last; id++) {
		union bpf_attr attr = { .map_id = id };
		int fd = kern_sys_bpf(BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr));

		if (fd >= 0)
			close_fd(fd);
		else if (fd != -ENOENT && !ret)
			ret = fd;
		cond_resched();
	}
	WRITE_ONCE(adopter, NULL);
	return ret;
}
