/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Adding jobs to the pool, and taking jobs out, while it is in use. Who does
 * either is serialised with the others who do; kng_pool.h says how it goes
 * together with pop and push.
 *
 * Jobs come and go in whole chunks. A chunk is marked as going; from then on who
 * owns one of its jobs does not push it but retires it. Its idle jobs lie
 * anywhere in the stack, so somebody has to look at all of them, yet may hold no
 * more than one at a time: the sweeper pops each from the stack and pushes it on
 * the spare, or retires it; then it moves what it kept back. When all jobs of a
 * chunk are retired, and every kng_pool_pop() that might have seen one has ended,
 * its memory is free:
 *
 *	kng_resize_mark(pool, slot);
 *	do {
 *		while (kng_resize_sweep(pool, false, some))
 *			let others run;
 *		while (kng_resize_sweep(pool, true, some))
 *			let others run;
 *	} while (!kng_resize_gone(pool, slot));
 *	synchronize_rcu();
 *	free(kng_resize_remove(pool, slot));
 *
 * Why once more: who did not see the mark pushes a job that should go, and a job
 * that is in use goes when it comes back.
 */
#ifndef KNG_RESIZE_H
#define KNG_RESIZE_H

#include "kng_pool.h"

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
	u32 base, slot, i;

	for (slot = 0; slot < pool->nr_chunks && pool->chunk[slot].jobs; slot++)
		;
	/* The last place is never used: its last index is KNG_INDEX_NONE. */
	if (slot == KNG_MAX_CHUNKS - 1)
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
	atomic_add(nr, &pool->total);
	__kng_stack_push(&pool->head, &jobs[0], &jobs[nr - 1]);
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
}

/**
 * kng_resize_sweep() - look for idle jobs of chunks that are going, and retire them
 * @pool: the pool
 * @back: false: from the stack to the spare; true: back again
 * @max: how many jobs to look at
 *
 * A sweep is this there until the stack is empty, and back until the spare is.
 * Who can't go on may stop at any time, and leave jobs in the spare.
 *
 * Context: Any, with preemption off; serialised as kng_resize_add(). Never
 *	sleeps, allocates or locks.
 * Return: true if jobs are left to look at.
 */
static inline bool kng_resize_sweep(struct kng_pool *pool, bool back, u32 max)
{
	atomic64_t *from = back ? &pool->spare : &pool->head;
	atomic64_t *to = back ? &pool->head : &pool->spare;
	s64 empty;

	while (max--) {
		struct kng_job *job = __kng_stack_pop(pool, from, &empty);

		if (!job)
			return false;
		if (!__kng_pool_retire(pool, job))
			__kng_stack_push(to, job, job);
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
	atomic_set(&pool->chunk[slot].retired, 0);
	return jobs;
}

#endif /* KNG_RESIZE_H */
