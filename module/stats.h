/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Event counters and the debugfs file that shows them.
 */
#ifndef KNG_STATS_H
#define KNG_STATS_H

#include <linux/percpu.h>

#include "kng_counters.h"

struct kng_counts {
	u64 nr[KNG_NR_COUNTERS];
};

DECLARE_PER_CPU(struct kng_counts, kng_counts);

/**
 * kng_count() - count an event
 * @what: which
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 */
static inline void kng_count(enum kng_counter what)
{
	this_cpu_inc(kng_counts.nr[what]);
}

/**
 * kng_count_many() - count events
 * @what: which
 * @nr: how many
 *
 * Context: As kng_count().
 */
static inline void kng_count_many(enum kng_counter what, unsigned int nr)
{
	this_cpu_add(kng_counts.nr[what], nr);
}

/**
 * kng_counted() - add an event's count up over all CPUs
 * @what: which
 *
 * Context: Any but NMI. Exact when quiet.
 * Return: the sum.
 */
u64 kng_counted(enum kng_counter what);

/**
 * kng_stats_init() - make the debugfs directory and its files
 *
 * Context: Task. A kernel without debugfs is no error: the guard works, unseen.
 */
void kng_stats_init(void);

/**
 * kng_stats_exit() - remove them; no reader is left when it returns
 *
 * Context: Task.
 */
void kng_stats_exit(void);

#endif /* KNG_STATS_H */
