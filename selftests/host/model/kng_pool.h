/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pool as its users see it, in place of include/kng_pool.h: what that promises
 * is for its own tests to check. A job leaves or enters the stack at one instant;
 * counting it in use is another step. Jobs are all alike: which of them are to be
 * retired is left open, each time anew.
 */
#ifndef KNG_POOL_H
#define KNG_POOL_H

#include "kernel.h"

struct kng_job {
	int unused;
};

/**
 * struct kng_pool - a pool of jobs
 * @idle: jobs in the stack
 * @going: jobs that are still to be retired, wherever they are
 * @in_use: as in include/kng_pool.h
 */
struct kng_pool {
	int idle;
	int going;
	atomic_t in_use;
};

static struct kng_pool kng_pool;
static struct kng_job a_job;

/* @slot: where the reference is that it is for; NULL: not for a reference. */
static inline struct kng_job *model_stack_pop(struct kng_pool *pool, const u64 *slot)
{
	bool found;

	smp_mb();
	__CPROVER_atomic_begin();
	found = pool->idle > 0;
	pool->idle -= found;
	if (slot)
		__CPROVER_assert(found | !*slot, "a job for each reference");
	__CPROVER_atomic_end();
	return found ? &a_job : NULL;
}

static inline void model_stack_push(struct kng_pool *pool)
{
	bool marked, retire;	/* marked: this one? any value */

	smp_mb();
	__CPROVER_atomic_begin();
	retire = marked & (pool->going > 0);
	pool->going -= retire;
	pool->idle += !retire;
	__CPROVER_atomic_end();
}

static inline struct kng_job *kng_pool_pop(struct kng_pool *pool, const u64 *slot)
{
	struct kng_job *job = model_stack_pop(pool, slot);

	if (job)
		atomic_inc(&pool->in_use);
	return job;
}

static inline void kng_pool_push(struct kng_pool *pool)
{
	atomic_dec(&pool->in_use);
	model_stack_push(pool);
}

#endif /* KNG_POOL_H */
