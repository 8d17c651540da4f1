/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's one job pool and the memory behind it.
 */
#ifndef KNG_MODULE_POOL_H
#define KNG_MODULE_POOL_H

#include "kng_pool.h"

extern struct kng_pool kng_pool;

/**
 * kng_pool_alloc() - set up the pool and fill it
 * @jobs: KNG_JOBS_MIN to KNG_JOBS_MAX; these stay until kng_pool_free()
 * @max_jobs: jobs that there can ever be, if that is more; sizes the table of chunks
 *
 * Context: Task; before anything is hooked.
 * Return: 0; -ENOMEM, then nothing is allocated.
 */
int kng_pool_alloc(u32 jobs, u32 max_jobs);

/**
 * kng_pool_grow() - add jobs
 * @jobs: how many
 *
 * Context: Task, may sleep; serialised with kng_pool_mark() and kng_pool_collect().
 * Return: how many were added; fewer if there is no memory for more, or no room
 *	in the table.
 */
u32 kng_pool_grow(u32 jobs);

/**
 * kng_pool_mark() - choose jobs that are to go
 * @jobs: at most so many
 *
 * Takes whole chunks, last come first, and none of kng_pool_alloc().
 *
 * Context: Task; serialised with kng_pool_grow().
 * Return: how many jobs go.
 */
u32 kng_pool_mark(u32 jobs);

/**
 * kng_pool_collect() - free marked jobs
 *
 * It does not wait. A chunk with jobs in use, and one that a pop may still read, is
 * left to a later call, or to kng_pool_free().
 *
 * Context: Task, may sleep; serialised with kng_pool_grow().
 * Return: how many jobs were freed.
 */
u32 kng_pool_collect(void);

/**
 * kng_pool_shrinks() - ask if marked jobs wait for kng_pool_collect()
 *
 * Context: Task; serialised with kng_pool_collect().
 * Return: true if so.
 */
bool kng_pool_shrinks(void);

/**
 * kng_pool_free() - free all that the pool has
 *
 * Context: Task; after the doors were unhooked and all jobs were pushed: no pop can
 *	still read a job.
 */
void kng_pool_free(void);

/**
 * kng_pool_total() - number of jobs
 *
 * Context: Any, nested NMI included.
 * Return: how many there are, idle or not.
 */
static inline u32 kng_pool_total(void)
{
	return atomic_read(&kng_pool.total);
}

/**
 * kng_pool_in_use() - number of jobs that have an owner
 *
 * Context: Any, nested NMI included. Looks at the stacks of all CPUs. Exact when quiet,
 *	else too large by the calls that are under way.
 * Return: their number.
 */
static inline u32 kng_pool_in_use(void)
{
	return kng_pool_used(&kng_pool);
}

#endif /* KNG_MODULE_POOL_H */
