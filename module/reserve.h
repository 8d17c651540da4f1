/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reserve: how many jobs the pool should have.
 */
#ifndef KNG_RESERVE_H
#define KNG_RESERVE_H

#include <linux/types.h>

struct seq_buf;

/**
 * kng_reserve_init() - prepare the worker
 * @on_shortage: called when jobs are wanted and can't be added; in task context, may
 *	sleep. Called many times.
 *
 * Context: Task; before any other call.
 * Return: 0 or -ENOMEM.
 */
int kng_reserve_init(void (*on_shortage)(void));

/**
 * kng_reserve_changed() - have the worker check the size of the pool now
 *
 * Context: Any but NMI. Never sleeps.
 */
void kng_reserve_changed(void);

/**
 * kng_reserve_map_changed() - a map was charged, or its charge taken away
 *
 * Calls the worker if jobs are to be added or freed. Else the pool has the map's jobs
 * already, and it counts as covered: kng_maps_note_some_covered().
 *
 * Context: Task, atomic. Never sleeps.
 */
void kng_reserve_map_changed(void);

/**
 * kng_reserve_note_usage() - note how many jobs are in use
 *
 * Calls the worker if more headroom is needed.
 *
 * Context: Any but NMI; at the start of each irq_work run. Never sleeps.
 */
void kng_reserve_note_usage(void);

/**
 * kng_reserve_settle() - wait until the worker has resized the pool
 *
 * Context: Task, may sleep.
 */
void kng_reserve_settle(void);

/**
 * kng_reserve_peak() - largest number of jobs in use that was noted since load
 *
 * Context: Any.
 * Return: the number.
 */
unsigned int kng_reserve_peak(void);

/**
 * kng_reserve_shortfall() - number of jobs that are wanted and can't be added
 *
 * Context: Any.
 * Return: the number.
 */
u64 kng_reserve_shortfall(void);

/**
 * kng_reserve_show() - print the reserve's lines of the stats
 * @m: where to print
 *
 * Context: Task.
 */
void kng_reserve_show(struct seq_buf *m);

/**
 * kng_reserve_exit() - stop the worker
 *
 * Context: Task; nothing is hooked, and no irq_work runs.
 */
void kng_reserve_exit(void);

#endif /* KNG_RESERVE_H */
