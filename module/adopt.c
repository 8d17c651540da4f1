// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps that were created before the guard was loaded. Getting a file descriptor for a
 * map passes security_bpf_map(), where the map watch sees it.
 */
#include <linux/bpf.h>
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "adopt.h"
#include "compat.h"
#include "creds.h"

static struct task_struct *adopter;

bool kng_adopting(void)
{
	return READ_ONCE(adopter) == current;
}

/*
 * The kernel assigns ids in ascending order, so all existing maps have smaller ids than
 * a new one. (Ids wrap after 2^31 maps. On such a machine maps can be missed. The
 * release door still guards the types that it knows.)
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

/*
 * kern_sys_bpf() does not offer BPF_MAP_GET_NEXT_ID, so each id that was ever used is
 * tried: about 1,000 instructions each. After ten million maps that takes seconds. It
 * ends when the loader is killed.
 */
static int adopt_maps(void)
{
	u32 id, last;
	int ret = new_map_id(&last);

	if (ret)
		return ret;
	WRITE_ONCE(adopter, current);
	for (id = 1; id < last && ret != -EINTR; id++) {
		union bpf_attr attr = { .map_id = id };
		int fd = kern_sys_bpf(BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr));

		if (fd >= 0)
			close_fd(fd);
		else if (fd != -ENOENT && !ret)
			ret = fd;
		if (fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	WRITE_ONCE(adopter, NULL);
	return ret;
}

int kng_adopt_maps(void)
{
	const struct cred *old = kng_creds_enter();
	int ret;

	if (IS_ERR(old))
		return PTR_ERR(old);
	ret = adopt_maps();
	kng_creds_leave(old);
	return ret;
}
