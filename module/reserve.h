/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reserve: how many jobs there are to be.
 */
#ifndef KNG_RESERVE_H
#define KNG_RESERVE_H

#include <linux/types.h>

#define KNG_HEADROOM_DEFAULT	2048
#define KNG_MAX_JOBS_DEFAULT	1048576
/* What the pool's table has room for, the jobs of the parameter in a chunk of their own. */
#define KNG_MAX_JOBS_MAX	16769024

struct seq_file;

/**
 * kng_reserve_init() - before the first call of any other
 *
 * Context: Task.
 * Return: 0 or -ENOMEM.
 */
int kng_reserve_init(void);

/**
 * kng_reserve_changed() - have the pool's size looked at, at once
 *
 * Context: Any but NMI. Never sleeps.
 */
void kng_reserve_changed(void);

/**
 * kng_reserve_look() - note how many jobs are in use, and react if they are many
 *
 * Context: Any but NMI; in each run of an irq_work. Never sleeps.
 */
void kng_reserve_look(void);

/**
 * kng_reserve_settle() - wait until the pool has the size that it is to have
 *
 * Context: Task, may sleep.
 */
void kng_reserve_settle(void);

/**
 * kng_reserve_peak() - most jobs that were found in use by a run since load
 *
 * Context: Any.
 * Return: their number.
 */
unsigned int kng_reserve_peak(void);

/**
 * kng_reserve_show() - write the reserve's lines of the stats
 * @m: where to
 *
 * Context: Task.
 */
void kng_reserve_show(struct seq_file *m);

/**
 * kng_reserve_exit() - look no more
 *
 * Context: Task; nothing is hooked, no irq_work runs.
 */
void kng_reserve_exit(void);

#endif /* KNG_RESERVE_H */
