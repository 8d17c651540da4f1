/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's one job pool and the memory behind it.
 */
#ifndef KNG_MODULE_POOL_H
#define KNG_MODULE_POOL_H

#include "kng_pool.h"

extern struct kng_pool kng_pool;

/**
 * kng_pool_alloc() - fill the pool
 * @jobs: KNG_JOBS_MIN to KNG_JOBS_MAX; these stay until kng_pool_free()
 *
 * Context: Task; before anything is hooked.
 * Return: 0; -ENOMEM, then the pool holds nothing.
 */
int kng_pool_alloc(unsigned int jobs);

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
 * kng_pool_collect() - give back the memory of marked jobs
 *
 * Waits for nobody: a chunk of which jobs are in use, and one that somebody may
 * still be reading, is left to a later call, or to kng_pool_free().
 *
 * Context: Task, may sleep; serialised with kng_pool_grow().
 * Return: how many jobs' memory went back.
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
 * kng_pool_free() - give the pool's memory back
 *
 * Context: Task; after the doors were unhooked and all jobs came back, so that
 *	no pop can still be reading a job.
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
 * Context: Any, nested NMI included. Exact when quiet, else too small by the
 *	calls that are under way.
 * Return: their number.
 */
static inline u32 kng_pool_in_use(void)
{
	return atomic_read(&kng_pool.in_use);
}

#endif /* KNG_MODULE_POOL_H */
