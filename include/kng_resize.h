/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Adding jobs to the pool, and taking jobs out, while it is in use. Callers of these
 * functions serialise among themselves; kng_pool.h says how they go together with
 * pop and push.
 *
 * Jobs come and go in whole chunks. A new chunk is dealt to the CPUs in blocks of
 * neighbouring jobs, so that no two CPUs begin with jobs of one cache line.
 *
 * To remove a chunk, mark it as going. From then on the owner of one of its jobs
 * does not push the job but retires it. Its idle jobs may be anywhere in the stacks, so
 * the sweeper looks at all idle jobs. It may hold no more than one at a time, or
 * pop() would miss them: it pops a job from a CPU's stack, and retires it or pushes
 * it on the spare; then it moves what is in the spare back. When all jobs of a
 * chunk are retired, and every kng_pool_pop() that might have seen one has ended,
 * its memory is free:
 *
 *	kng_resize_mark(pool, slot);
 *	do {
 *		for each cpu {
 *			kng_resize_sweep(pool, cpu, false, some) until it is false;
 *			kng_resize_sweep(pool, cpu, true, some) until it is false;
 *		}
 *	} while (!kng_resize_gone(pool, slot));
 *	synchronize_rcu();
 *	free(kng_resize_remove(pool, slot));
 *
 * Why again: a caller that read the mark too early pushes a job of the chunk; a job
 * that is in use is retired when its owner pushes it; and while the sweeper goes from
 * stack to stack, others move jobs behind it.
 */
#ifndef KNG_RESIZE_H
#define KNG_RESIZE_H

#include "kng_pool.h"

/* Jobs that are dealt together: 384 bytes, three pairs of cache lines of 64. */
#define KNG_DEAL_JOBS	16

/**
 * kng_resize_add() - add a chunk of new jobs
 * @pool: the pool
 * @jobs: the chunk; belongs to the pool from now on, if there is room for it
 * @nr: 1 to KNG_CHUNK_JOBS jobs
 *
 * Context: Any; callers are serialised. pop and push may run at the same time.
 * Return: true; false if the table is full.
 */
static inline bool kng_resize_add(struct kng_pool *pool, struct kng_job *jobs,
				  u32 nr)
{
	u32 base, slot, share, i;

	for (slot = 0; slot < pool->nr_chunks && pool->chunk[slot].jobs; slot++)
		;
	if (slot == pool->max_chunks)
		return false;
	if (slot == pool->nr_chunks)
		pool->nr_chunks++;

	base = slot << KNG_CHUNK_SHIFT;
	for (i = 0; i < nr; i++) {
		jobs[i].index = base + i;
		jobs[i].next = base + i + 1;
	}
	/* Published by the exchange in __kng_stack_push(). */
	pool->chunk[slot].jobs = jobs;
	pool->chunk[slot].nr = nr;
	/* Before the push: see kng_pool_used(). */
	atomic_add(nr, &pool->total);

	share = (nr + pool->nr_cpus - 1) / pool->nr_cpus;
	share = (share + KNG_DEAL_JOBS - 1) / KNG_DEAL_JOBS * KNG_DEAL_JOBS;
	for (i = 0; i < nr; i += share) {
		u32 deal = share < nr - i ? share : nr - i;

		__kng_stack_push(&pool->stack[pool->deal_to], base + i, &jobs[i + deal - 1].next,
				 deal);
		pool->deal_to = (pool->deal_to + 1) % pool->nr_cpus;
	}
	return true;
}

/**
 * kng_resize_mark() - have the jobs of a chunk retired
 * @pool: the pool
 * @slot: the chunk's place in the table
 *
 * There is no way back.
 *
 * Context: Any; serialised as kng_resize_add().
 */
static inline void kng_resize_mark(struct kng_pool *pool, u32 slot)
{
	WRITE_ONCE(pool->chunk[slot].going, true);
	WRITE_ONCE(pool->nr_going, pool->nr_going + 1);
}

/**
 * kng_resize_sweep() - look for idle jobs of chunks that are going, and retire them
 * @pool: the pool
 * @cpu: whose stack
 * @back: false: from that stack to the spare; true: from the spare to that stack
 * @max: how many jobs to look at
 *
 * A sweep of a stack is this there until the stack is empty, and back until the spare
 * is. A sweeper that can't go on may stop at any time, and leave jobs in the spare.
 *
 * Context: Any, with preemption off; serialised as kng_resize_add(). Never
 *	sleeps, allocates or locks.
 * Return: true if jobs are left to look at.
 */
static inline bool kng_resize_sweep(struct kng_pool *pool, u32 cpu, bool back, u32 max)
{
	struct kng_stack *spare = &pool->stack[pool->nr_cpus];
	struct kng_stack *from = back ? spare : &pool->stack[cpu];
	struct kng_stack *to = back ? &pool->stack[cpu] : spare;
	s64 empty;

	while (max--) {
		struct kng_job *job = __kng_stack_pop(pool, from, &empty);

		if (!job)
			return false;
		if (!__kng_pool_retire(pool, job))
			__kng_stack_push(to, job->index, &job->next, 1);
	}
	return true;
}

/**
 * kng_resize_gone() - ask if all jobs of a chunk are retired
 * @pool: the pool
 * @slot: the chunk's place in the table
 *
 * Context: Any; serialised as kng_resize_add().
 * Return: true if so; then no pop() that starts from now on can see the chunk.
 */
static inline bool kng_resize_gone(struct kng_pool *pool, u32 slot)
{
	struct kng_chunk *chunk = &pool->chunk[slot];
	bool gone = chunk->going && atomic_read(&chunk->retired) == chunk->nr;

	/* Pairs with the barrier in __kng_pool_retire(). */
	smp_rmb();
	return gone;
}

/**
 * kng_resize_remove() - take a chunk out that is gone
 * @pool: the pool
 * @slot: the chunk's place in the table; free from now on
 *
 * Context: Any; serialised as kng_resize_add(). kng_resize_gone() said true, and
 *	every pop() that ran at that time has ended since.
 * Return: the chunk's memory, the caller's again.
 */
static inline struct kng_job *kng_resize_remove(struct kng_pool *pool, u32 slot)
{
	struct kng_job *jobs = pool->chunk[slot].jobs;

	pool->chunk[slot].jobs = NULL;
	WRITE_ONCE(pool->chunk[slot].going, false);
	WRITE_ONCE(pool->nr_going, pool->nr_going - 1);
	atomic_set(&pool->chunk[slot].retired, 0);
	return jobs;
}

#endif /* KNG_RESIZE_H */
