/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pool as its users see it, in place of include/kng_pool.h: what that promises
 * is for its own tests to check. A job is in use from the instant at which it leaves the
 * stack; it is counted in use a while longer than until it is in a stack again. Jobs
 * are all alike: which of them are to be retired is left open, each time anew.
 */
#ifndef KNG_POOL_H
#define KNG_POOL_H

#include "kernel.h"

struct kng_job {
	int unused;
};

/**
 * struct kng_pool - a pool of jobs
 * @idle: jobs in the stacks
 * @going: jobs that are still to be retired, wherever they are
 * @in_use: what kng_pool_used() returns
 * @nr_cpus: one or two
 */
struct kng_pool {
	int idle;
	int going;
	atomic_t in_use;
	u32 nr_cpus;
};

static struct kng_pool kng_pool = { .nr_cpus = CPUS };
static atomic_t credit0, credit1;
static struct kng_job a_job;

static inline atomic_t *__kng_pool_credit(const struct kng_pool *pool, u32 cpu)
{
	return cpu ? &credit1 : &credit0;
}

static inline int kng_pool_used(const struct kng_pool *pool)
{
	return atomic_read(&pool->in_use);
}

/* @slot: where the reference is that it is for; NULL: not for a reference. */
static inline struct kng_job *model_stack_pop(struct kng_pool *pool, const u64 *slot)
{
	bool found;

	smp_mb();
	__CPROVER_atomic_begin();
	found = pool->idle > 0;
	pool->idle -= found;
	pool->in_use.counter += found;
	if (slot)
		__CPROVER_assert(found | !*slot, "a job for each reference");
	__CPROVER_atomic_end();
	smp_mb();
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
	smp_mb();
}

static inline struct kng_job *kng_pool_pop(struct kng_pool *pool, const u64 *slot)
{
	return model_stack_pop(pool, slot);
}

static inline void kng_pool_push(struct kng_pool *pool)
{
	model_stack_push(pool);
	atomic_dec(&pool->in_use);
}

#endif /* KNG_POOL_H */
