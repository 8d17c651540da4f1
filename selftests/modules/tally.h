/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts of a module of ours, and how much of each was in NMI:
 *
 *   /sys/kernel/debug/MODULE/counts   lines "NAME total nmi"
 *   /sys/kernel/debug/MODULE/reset    write anything
 *
 * The including file has defined MAX_TALLIES, and names those that it uses. It may
 * have defined tally_here() to count some other context for NMI.
 */
#ifndef KNG_TALLY_H
#define KNG_TALLY_H

#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/hardirq.h>
#include <linux/module.h>
#include <linux/seq_file.h>

struct tally {
	const char *name;
	atomic64_t total;
	atomic64_t nmi;
};

#ifndef tally_here
#define tally_here() in_nmi()
#endif

static struct tally tallies[MAX_TALLIES];
static struct dentry *tally_dir;

static __always_inline void tally(struct tally *t)
{
	atomic64_inc(&t->total);
	if (tally_here())
		atomic64_inc(&t->nmi);
}

static int counts_show(struct seq_file *m, void *unused)
{
	int i;

	for (i = 0; i < MAX_TALLIES; i++)
		if (tallies[i].name)
			seq_printf(m, "%s %lld %lld\n", tallies[i].name,
				   atomic64_read(&tallies[i].total),
				   atomic64_read(&tallies[i].nmi));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counts);

static ssize_t reset_write(struct file *file, const char __user *ubuf,
			   size_t len, loff_t *pos)
{
	int i;

	for (i = 0; i < MAX_TALLIES; i++) {
		atomic64_set(&tallies[i].total, 0);
		atomic64_set(&tallies[i].nmi, 0);
	}
	return len;
}

static const struct file_operations reset_fops = {
	.owner = THIS_MODULE,
	.write = reset_write,
};

static void tally_begin(void)
{
	tally_dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("counts", 0400, tally_dir, NULL, &counts_fops);
	debugfs_create_file("reset", 0200, tally_dir, NULL, &reset_fops);
}

static void tally_end(void)
{
	debugfs_remove_recursive(tally_dir);
}

#endif /* KNG_TALLY_H */
