/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The statistics: files in debugfs.
 */
#ifndef KNG_STATS_H
#define KNG_STATS_H

/**
 * kng_stats_init() - create the debugfs directory and its files
 *
 * A kernel without debugfs is no error: the guard works without the files.
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
