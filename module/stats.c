// SPDX-License-Identifier: GPL-2.0-only
/*
 * The statistics: what the debugfs files show.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "count.h"
#include "exact.h"
#include "hook.h"
#include "maps.h"
#include "offload.h"
#include "params.h"
#include "pool.h"
#include "reserve.h"
#include "stats.h"
#include "teardown.h"
#include "types.h"
#include "watch.h"

static const char * const counter_names[] = KNG_COUNTER_NAMES;

static_assert(ARRAY_SIZE(counter_names) == KNG_NR_COUNTERS);

static struct dentry *dir;

DEFINE_SEQ_ATTRIBUTE(kng_maps);

static int stats_show(struct seq_file *m, void *v)
{
	int i;

	seq_printf(m, "version: %s\n", KNG_VERSION);
	seq_puts(m, "state: active\n");
	seq_printf(m, "hook: %s\n", kng_hook_uses_ftrace() ? "ftrace" : "kprobe");
	seq_printf(m, "defer: %s\n", kng_params.irqsoff ? "irqsoff" : "nmi");
	seq_printf(m, "door_teardown: %s\n", kng_watch_door());
	kng_types_show(m);
	seq_printf(m, "on_empty: %s\n", kng_params.on_empty == KNG_LEAK ? "leak" : "inline");
	seq_printf(m, "jobs_total: %u\n", kng_pool_total());
	seq_printf(m, "jobs_idle: %d\n", kng_pool_idle(&kng_pool));
	seq_printf(m, "pending: %u\n", kng_pool_in_use());
	seq_printf(m, "peak_pending: %u\n", kng_reserve_peak());
	seq_printf(m, "longest_run: %u\n", kng_offload_longest());
	kng_exact_show(m);
	kng_reserve_show(m);
	seq_printf(m, "missed: %lu\n", kng_teardown_missed() + kng_types_missed());
	for (i = 0; i < KNG_NR_COUNTERS; i++)
		seq_printf(m, "%s: %llu\n", counter_names[i], kng_count_sum(i));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

void kng_stats_init(void)
{
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("stats", 0400, dir, NULL, &stats_fops);
	debugfs_create_file("maps", 0400, dir, NULL, &kng_maps_fops);
}

void kng_stats_exit(void)
{
	debugfs_remove(dir);
}
