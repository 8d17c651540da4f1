// SPDX-License-Identifier: GPL-2.0-only
/*
 * The statistics, one `name: value' line each. They are shown twice: all lines in
 * debugfs for root, and each line as a file of its own in sysfs for everybody. Both come
 * from stats_print(), so that they can't differ.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_buf.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "count.h"
#include "delay.h"
#include "drain.h"
#include "dtor.h"
#include "exact.h"
#include "hook.h"
#include "mapsfile.h"
#include "params.h"
#include "pool.h"
#include "reserve.h"
#include "stats.h"
#include "storage.h"
#include "teardown.h"
#include "types.h"
#include "watch.h"

static const char * const counter_names[] = KNG_COUNTER_NAMES;

static_assert(ARRAY_SIZE(counter_names) == KNG_NR_COUNTERS);

static void stats_print(struct seq_buf *m)
{
	int i;

	seq_buf_printf(m, "version: %s\n", KNG_VERSION);
	seq_buf_puts(m, "state: active\n");
	seq_buf_printf(m, "hook: %s\n", kng_hook_uses_ftrace() ? "ftrace" : "kprobe");
	seq_buf_printf(m, "defer: %s\n", kng_entry_defers_irqsoff() ? "irqsoff" : "nmi");
	seq_buf_printf(m, "door_teardown: %s\n", kng_watch_door());
	kng_types_show(m);
	seq_buf_printf(m, "storage_delete: %s\n", kng_storage_state());
	seq_buf_printf(m, "map_watch: %s\n", kng_watch_state());
	seq_buf_printf(m, "on_empty: %s\n", kng_params.on_empty == KNG_LEAK ? "leak" : "inline");
	seq_buf_printf(m, "jobs_total: %u\n", kng_pool_total());
	seq_buf_printf(m, "jobs_idle: %d\n", kng_pool_idle(&kng_pool));
	seq_buf_printf(m, "pending: %u\n", kng_pool_in_use());
	seq_buf_printf(m, "peak_pending: %u\n", kng_reserve_peak());
	seq_buf_printf(m, "longest_run: %u\n", kng_drain_longest());
	kng_exact_show(m);
	kng_reserve_show(m);
	seq_buf_printf(m, "missed: %lu\n", kng_teardown_missed() + kng_types_missed());
	kng_delay_show(m);
	kng_dtor_show(m);
	for (i = 0; i < KNG_NR_COUNTERS; i++)
		seq_buf_printf(m, "%s: %llu\n", counter_names[i], kng_count_sum(i));
}

/* debugfs: all lines */

static int stats_show(struct seq_file *s, void *v)
{
	struct seq_buf m;
	char *buf;
	size_t size = seq_get_buf(s, &buf);

	seq_buf_init(&m, buf, size);
	stats_print(&m);
	/* With -1 seq_file tries again with a larger buffer. */
	seq_commit(s, seq_buf_has_overflowed(&m) ? -1 : (int)seq_buf_used(&m));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);
DEFINE_SEQ_ATTRIBUTE(kng_maps);

/* sysfs: a file for each line */

#define PRINT_SIZE	(4 * PAGE_SIZE)

/* Returns all lines as a string that the caller frees, or NULL. */
static char *print_all(void)
{
	char *text = kvmalloc(PRINT_SIZE, GFP_KERNEL);
	struct seq_buf m;

	if (!text)
		return NULL;
	seq_buf_init(&m, text, PRINT_SIZE - 1);
	stats_print(&m);
	text[seq_buf_used(&m)] = 0;
	return text;
}

static ssize_t value_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	size_t len = strlen(attr->attr.name);
	char *text = print_all();
	char *rest = text, *line;
	ssize_t ret = -ENODATA;

	if (!text)
		return -ENOMEM;
	while ((line = strsep(&rest, "\n"))) {
		if (!strncmp(line, attr->attr.name, len) && line[len] == ':') {
			ret = sysfs_emit(buf, "%s\n", line + len + 2);
			break;
		}
	}
	kvfree(text);
	return ret;
}

static struct kobject *values_dir;
static struct kobj_attribute *values;
static unsigned int nr_values;

static int add_value(const char *line)
{
	struct kobj_attribute *attr = &values[nr_values];
	int ret;

	sysfs_attr_init(&attr->attr);
	attr->attr.name = kstrndup(line, strcspn(line, ":"), GFP_KERNEL);
	attr->attr.mode = 0444;
	attr->show = value_show;
	if (!attr->attr.name)
		return -ENOMEM;
	ret = sysfs_create_file(values_dir, &attr->attr);
	if (ret)
		kfree(attr->attr.name);
	else
		nr_values++;
	return ret;
}

static void remove_values(void)
{
	/* Waits for readers. */
	kobject_put(values_dir);
	while (nr_values)
		kfree(values[--nr_values].attr.name);
	kvfree(values);
	values = NULL;
	values_dir = NULL;
}

/* Lines that appear later, as those of other modules, have no file. */
static void add_values(void)
{
	char *text = print_all();
	char *rest = text, *line;
	unsigned int lines = 0;
	char *c;

	if (!text)
		return;
	for (c = text; *c; c++)
		lines += *c == '\n';
	values_dir = kobject_create_and_add("stats", &THIS_MODULE->mkobj.kobj);
	values = kvcalloc(lines, sizeof(*values), GFP_KERNEL);
	if (values_dir && values) {
		while ((line = strsep(&rest, "\n")) && *line && nr_values < lines) {
			if (add_value(line))
				break;
		}
	}
	kvfree(text);
}

static struct dentry *dir;

void kng_stats_init(void)
{
	dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("stats", 0400, dir, NULL, &stats_fops);
	debugfs_create_file("maps", 0400, dir, NULL, &kng_maps_fops);
	add_values();
}

void kng_stats_exit(void)
{
	remove_values();
	debugfs_remove(dir);
}
