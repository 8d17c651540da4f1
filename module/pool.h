/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's one job pool and the memory behind it.
 */
#ifndef KNG_MODULE_POOL_H
#define KNG_MODULE_POOL_H

#include "kng_pool.h"

#define KNG_JOBS_DEFAULT	4096
#define KNG_JOBS_MIN		1
#define KNG_JOBS_MAX		1048576

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
 * Context: Task, may sleep; serialised with kng_pool_shrink().
 * Return: how many were added; fewer if there is no memory for more, or no room
 *	in the table.
 */
u32 kng_pool_grow(u32 jobs);

/**
 * kng_pool_shrink() - give memory back
 * @jobs: at most so many go
 *
 * Takes whole chunks, last come first, and none of kng_pool_alloc(). A chunk
 * of which jobs are in use is finished by a later call, or by kng_pool_free().
 *
 * Context: Task, may sleep; serialised with kng_pool_grow().
 * Return: how many jobs' memory went back.
 */
u32 kng_pool_shrink(u32 jobs);

/**
 * kng_pool_shrinking() - ask if chunks wait to be finished
 *
 * Context: Task; serialised with kng_pool_shrink().
 * Return: true if kng_pool_shrink() should be called again, with 0 maybe.
 */
bool kng_pool_shrinking(void);

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
 * kng_pool_in_use() - number of jobs that are not idle
 *
 * Context: Any, nested NMI included. Exact when quiet, else off by the pushes,
 *	pops and retirements that are under way; never negative.
 * Return: their number.
 */
static inline u32 kng_pool_in_use(void)
{
	int in_use = atomic_read(&kng_pool.total) - atomic_read(&kng_pool.idle);

	return in_use < 0 ? 0 : in_use;
}

#endif /* KNG_MODULE_POOL_H */
