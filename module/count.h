/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event counters. Each CPU has its own, and they are never reset.
 */
#ifndef KNG_COUNT_H
#define KNG_COUNT_H

#include <linux/percpu.h>

#include "kng_counters.h"
#include "kng_depth.h"

/**
 * struct kng_counts - the counters of one CPU
 * @nr: number of events, by kind
 */
struct kng_counts {
	u64 nr[KNG_NR_COUNTERS];
};

DECLARE_PER_CPU(struct kng_counts, kng_counts);

/**
 * kng_count() - count one event
 * @what: its kind
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 */
static inline void kng_count(enum kng_counter what)
{
	this_cpu_inc(kng_counts.nr[what]);
}

/**
 * kng_uncount() - take back one kng_count() of the same CPU
 * @what: its kind
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 */
static inline void kng_uncount(enum kng_counter what)
{
	this_cpu_dec(kng_counts.nr[what]);
}

DECLARE_PER_CPU(union kng_depth, kng_entry_depth);

#ifdef CONFIG_ARM64
/* Of entries in NMI that were alone. */
DECLARE_PER_CPU(struct kng_counts, kng_counts_alone);
#endif

/**
 * kng_count_entered() - count one event inside the guard
 * @what: its kind
 *
 * On x86 an increment that nothing can tear is one instruction, as kng_count() is.
 * On arm64 it is an atomic one, or two exclusive ones. There an entry that is alone on
 * its CPU (kng_depth.h) counts with a plain increment in a place of its own: those that
 * interrupt it are not alone, and count elsewhere. (scripts/depth-cost: 11 instructions,
 * none atomic, against 9 with two exclusive ones.)
 *
 * Context: Between kng_entry_enter() and kng_entry_exit(). Never sleeps, allocates or
 *	locks.
 */
static inline void kng_count_entered(enum kng_counter what)
{
#ifdef CONFIG_ARM64
	if (likely(kng_depth_is_alone(raw_cpu_ptr(&kng_entry_depth), KNG_LEVELS - 1))) {
		raw_cpu_inc(kng_counts_alone.nr[what]);
		return;
	}
#endif
	kng_count(what);
}

/**
 * kng_count_many() - count several events of one kind
 * @what: their kind
 * @nr: how many
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 */
static inline void kng_count_many(enum kng_counter what, unsigned int nr)
{
	this_cpu_add(kng_counts.nr[what], nr);
}

/**
 * kng_count_sum() - add up one counter over all CPUs
 * @what: the kind of event
 *
 * Context: Any but NMI. Exact while no CPU counts.
 * Return: number of events since the module was loaded.
 */
u64 kng_count_sum(enum kng_counter what);

#endif /* KNG_COUNT_H */
