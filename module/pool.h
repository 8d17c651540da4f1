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
 * @jobs: KNG_JOBS_MIN to KNG_JOBS_MAX
 *
 * Context: Task; before anything is hooked.
 * Return: 0; -ENOMEM, then the pool holds nothing.
 */
int kng_pool_alloc(unsigned int jobs);

/**
 * kng_pool_free() - give the pool's memory back
 *
 * Context: Task; after the doors were unhooked and all jobs came back, so that
 *	no pop can still be reading a job.
 */
void kng_pool_free(void);

/**
 * kng_pool_in_use() - number of jobs that are not idle
 *
 * Context: Any, nested NMI included. Exact when quiet, else too small by the
 *	pushes and pops that are under way.
 * Return: their number.
 */
static inline u32 kng_pool_in_use(void)
{
	return READ_ONCE(kng_pool.total) - (u32)atomic_read(&kng_pool.idle);
}

#endif /* KNG_MODULE_POOL_H */
