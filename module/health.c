// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether the guard does what it promises, in one line.
 *
 * Degraded is: a reference was leaked, kept, refused, or dropped in NMI since load; jobs
 * are missing now; a map is not watched; or a door is not where it should be. Each fact
 * has the name that it has in the stats.
 */
#include <linux/delay.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/seq_buf.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "count.h"
#include "exact.h"
#include "health.h"
#include "hook.h"
#include "reserve.h"
#include "storage.h"
#include "teardown.h"
#include "types.h"
#include "unwatched.h"
#include "watch.h"

/* Counters that stay 0 while all is well. */
static const struct {
	enum kng_counter counter;
	const char *name;
} faults[] = {
	{ KNG_EMPTY, "empty" },
	{ KNG_TABLE_FULL, "table_full" },
	{ KNG_LEAKED, "leaked" },
	{ KNG_KEPT, "kept" },
	{ KNG_INLINED, "inlined" },
	{ KNG_REFUSED, "refused" },
	{ KNG_BAD_CONTEXT, "bad_context" },
};

static void fact(struct seq_buf *m, const char *name, u64 value)
{
	if (value)
		seq_buf_printf(m, ", %s=%llu", name, value);
}

/* A call that is under way counts for a moment. So what counts is what stays. */
static u64 bypassed(void)
{
	u64 before = kng_count_sum(KNG_BYPASSED);

	if (!before)
		return 0;
	usleep_range(1000, 2000);
	return min(before, kng_count_sum(KNG_BYPASSED));
}

static void facts(struct seq_buf *m)
{
	int i;

	fact(m, "shortfall", kng_reserve_shortfall());
	fact(m, "maps_unwatched", kng_unwatched());
	fact(m, "missed", kng_teardown_missed() + kng_types_missed());
	for (i = 0; i < ARRAY_SIZE(faults); i++)
		fact(m, faults[i].name, kng_count_sum(faults[i].counter));
	fact(m, "bypassed", bypassed());
	if (kng_exact_references() < 0)
		seq_buf_printf(m, ", references=%lld", kng_exact_references());
	if (kng_watch_door_failed())
		seq_buf_puts(m, ", door_teardown=closed");
	/* With kprobes there is none: a known limit, and the door is open for it. */
	if (kng_hook_uses_ftrace() && strcmp(kng_watch_state(), "complete"))
		seq_buf_printf(m, ", map_watch=%s", kng_watch_state());
	if (kng_storage_unhooked())
		seq_buf_puts(m, ", storage_delete=unhooked");
	kng_types_show_missing(m);
}

#define LINE_SIZE	512

/* Returns the length of the line, which is cut if it does not fit. */
static size_t health_line(char *line)
{
	char list[LINE_SIZE];
	struct seq_buf m;

	seq_buf_init(&m, list, sizeof(list));
	facts(&m);
	if (!seq_buf_used(&m))
		return scnprintf(line, LINE_SIZE, "ok\n");
	/* Without the first comma. */
	return scnprintf(line, LINE_SIZE, "degraded: %.*s\n", (int)seq_buf_used(&m) - 2, list + 2);
}

static ssize_t health_show(KNG_CONST_MODULE_ATTR struct module_attribute *attr,
			   struct module_kobject *mk, char *buf)
{
	return health_line(buf);
}

static struct module_attribute health_attr = {
	.attr = { .name = "health", .mode = 0444 },
	.show = health_show,
};

/* Wake those who poll the file. Deferrable: an idle CPU is not woken for it. */
static void look(struct work_struct *work);
static DECLARE_DEFERRABLE_WORK(look_work, look);

static void look(struct work_struct *work)
{
	static char last[LINE_SIZE];
	char now[LINE_SIZE];

	health_line(now);
	if (strcmp(now, last)) {
		strscpy(last, now, sizeof(last));
		sysfs_notify(&THIS_MODULE->mkobj.kobj, NULL, health_attr.attr.name);
	}
	schedule_delayed_work(&look_work, HZ);
}

static bool created;

void kng_health_init(void)
{
	created = !sysfs_create_file(&THIS_MODULE->mkobj.kobj, &health_attr.attr);
	if (created)
		schedule_delayed_work(&look_work, 0);
}

void kng_health_exit(void)
{
	if (!created)
		return;
	cancel_delayed_work_sync(&look_work);
	sysfs_remove_file(&THIS_MODULE->mkobj.kobj, &health_attr.attr);
}
