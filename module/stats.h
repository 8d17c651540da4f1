/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The statistics: files in debugfs and in sysfs.
 */
#ifndef KNG_STATS_H
#define KNG_STATS_H

/**
 * kng_stats_init() - create the files
 *
 * /sys/kernel/debug/kptr_nmi_guard/{stats,maps} for root, and a file for each line of the
 * former, /sys/module/kptr_nmi_guard/stats/NAME, for everybody. A kernel without debugfs
 * or sysfs is no error: the guard works without the files.
 *
 * Context: Task.
 */
void kng_stats_init(void);

/**
 * kng_stats_exit() - remove the files; no reader is left when it returns
 *
 * Context: Task.
 */
void kng_stats_exit(void);

#endif /* KNG_STATS_H */
