// SPDX-License-Identifier: GPL-2.0-only
/*
 * The debugfs file `maps': a line for each watched map.
 */
#include <linux/bpf.h>
#include <linux/rculist.h>
#include <linux/seq_file.h>

#include "maps.h"
#include "mapsfile.h"

/* Only map types that can have kptrs. */
static const char *type_name(enum bpf_map_type type)
{
	switch (type) {
	case BPF_MAP_TYPE_ARRAY:
		return "array";
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		return "percpu_array";
	case BPF_MAP_TYPE_HASH:
		return "hash";
	case BPF_MAP_TYPE_PERCPU_HASH:
		return "percpu_hash";
#ifdef KNG_HAS_RHASH
	case BPF_MAP_TYPE_RHASH:
		return "rhash";
#endif
	case BPF_MAP_TYPE_LRU_HASH:
		return "lru_hash";
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
		return "lru_percpu_hash";
	case BPF_MAP_TYPE_SK_STORAGE:
		return "sk_storage";
	case BPF_MAP_TYPE_INODE_STORAGE:
		return "inode_storage";
	case BPF_MAP_TYPE_TASK_STORAGE:
		return "task_storage";
	case BPF_MAP_TYPE_CGRP_STORAGE:
		return "cgrp_storage";
	default:
		return "other";
	}
}

static void show_map(struct seq_file *m, const struct kng_map *w)
{
	u64 covered = READ_ONCE(w->covered);
	int i;

	seq_printf(m, "%u %s %s entries %u charge %llu fields", w->id,
		   w->name[0] ? w->name : "-", type_name(w->type), w->max_entries,
		   w->charge.references + w->charge.floor);
	for (i = 0; i < w->charge.nr_dtors; i++)
		seq_printf(m, "%s%ps", i ? "," : " ", w->charge.dtor[i]);
	if (w->charge.floored)
		seq_printf(m, "%sfloor", w->charge.nr_dtors ? "," : " ");
	else if (!w->charge.nr_dtors)
		seq_puts(m, " -");
	if (covered)
		seq_printf(m, " met_us %llu\n", div_u64(covered - w->seen, 1000));
	else
		seq_puts(m, " waits\n");
}

/* A position is a hash chain, so that no map is shown twice or left out. */
static void *maps_start(struct seq_file *m, loff_t *pos)
	__acquires(RCU)
{
	rcu_read_lock();
	return kng_maps_chain(*pos);
}

static void *maps_next(struct seq_file *m, void *v, loff_t *pos)
{
	return kng_maps_chain(++*pos);
}

static void maps_stop(struct seq_file *m, void *v)
	__releases(RCU)
{
	rcu_read_unlock();
}

static int maps_show(struct seq_file *m, void *v)
{
	struct kng_map *w;

	hlist_for_each_entry_rcu(w, (struct hlist_head *)v, node)
		show_map(m, w);
	return 0;
}

const struct seq_operations kng_maps_sops = {
	.start	= maps_start,
	.next	= maps_next,
	.stop	= maps_stop,
	.show	= maps_show,
};
