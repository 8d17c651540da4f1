/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The job pool: a lock-free stack of preallocated jobs.
 *
 * Best fit: a fixed set of small objects that are taken in NMI context and
 * given back from anywhere, where "empty" must never be said by mistake.
 * Limits: 2^24 - 1 jobs; one cache line is shared by all CPUs, so it is built
 * for bursts of teardown in NMI, not for a hot allocation path.
 *
 * The stack is Treiber's (IBM RJ 5118, 1986) with the generation tag that
 * IBM's System/370 Principles of Operation gives for it. Links are indices,
 * so index and tag share one 64-bit word and no 128-bit exchange is needed, only
 * a 64-bit one that is no lock in disguise: CONFIG_64BIT.
 *
 *	63                                    24 23                     0
 *	+---------------------------------------+------------------------+
 *	| tag: bumped by every pop              | index of the first job |
 *	+---------------------------------------+------------------------+
 *
 * Why the tag: pop() of job A loads A's successor B and stalls; somebody pops
 * A and B and pushes A back. Without a tag the stalled compare-and-exchange
 * finds A on top and succeeds, and B, which is in use, becomes the head. Here
 * the two pops have moved the tag on by two and the exchange fails. A tag
 * repeats after 2^40 pops. pop() runs with preemption off, so a stall lasts
 * as long as the NMIs, or the vCPU's hypervisor, keep one CPU from running;
 * at 10 ns a pop the others would need three hours and to hit one exact pop.
 *
 * Who may do what at the same time:
 *
 *		  pop	push	add
 *	pop	   -	 -	 -
 *	push	   -	 -	 -
 *	add	   -	 -	 L
 *
 * "-" needs no lock, in every context (task, softirq, hardirq, NMI, an NMI
 * nested in any of them by int3 or #DB), on any number of CPUs. "L": the
 * caller serialises; others may read what it counts, with READ_ONCE().
 *   pop/pop, pop/push, push/push: each linearises at its compare-and-exchange
 *   of the one head word. The loser's reload sees the winner's value, so a
 *   retry means that another caller made progress. A nested caller finishes
 *   before the one that it interrupts goes on; it is just another winner.
 *   add/any: a chunk is in the table before its first job can be reached
 *   through the head.
 *
 * Invariants:
 *   A job is in the stack or in use by one owner, never both.
 *   pop() returns NULL only if the head read as empty, hence the stack was
 *   empty at that instant: a job whose push was interrupted half way is still
 *   in use, not hidden in the stack.
 *   Jobs are type-stable: ->next may be read by a stalled pop() after the job
 *   left the stack. Chunks are freed only after every pop() that could have
 *   seen them has ended; an RCU grace period, since pop() runs with
 *   preemption off.
 */
#ifndef KNG_POOL_H
#define KNG_POOL_H

#ifdef __KERNEL__
#ifndef CONFIG_64BIT
#error "the job pool needs a 64-bit compare-and-exchange that NMIs may use"
#endif
#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/llist.h>
#include <linux/types.h>
#else
#include "kernel.h"
#endif

#define KNG_INDEX_BITS		24
#define KNG_DTOR_BITS		8
#define KNG_INDEX_MASK		((u32)(KNG_TAG_ONE - 1))
#define KNG_INDEX_NONE		KNG_INDEX_MASK
#define KNG_TAG_ONE		(1ULL << KNG_INDEX_BITS)
#define KNG_TAG_MASK		(~(KNG_TAG_ONE - 1))
#define KNG_CHUNK_SHIFT		12
#define KNG_CHUNK_JOBS		(1U << KNG_CHUNK_SHIFT)
#define KNG_MAX_CHUNKS		(1U << (KNG_INDEX_BITS - KNG_CHUNK_SHIFT))

/* A test can stop a caller between its load of the head and its exchange. */
#ifndef kng_pool_race_point
#define kng_pool_race_point()	do { } while (0)
#endif

/**
 * struct kng_job - one deferred destructor call
 * @node: link in a CPU's pending list while the job is in use
 * @obj: the reference to give back; the owner's while the job is in use
 * @next: index of the next idle job; read by stalled pops at any time
 * @index: this job's own index, constant
 * @dtor: which destructor, an index into the table of dtor.c
 */
struct kng_job {
	struct llist_node node;
	void *obj;
	u32 next;
	u32 index:KNG_INDEX_BITS;
	u32 dtor:KNG_DTOR_BITS;
};

/**
 * struct kng_pool - a pool of jobs
 * @head: tag and index of the first idle job
 * @idle: number of idle jobs; counts a job before it is pushed and until after
 *	it was popped, so that it is exact when quiet and never too small
 * @total: jobs that were ever added; written by kng_pool_add() alone
 * @nr_chunks: entries of @chunk in use; as @total
 * @chunk: where the jobs live, up to KNG_CHUNK_JOBS in each; away from @head,
 *	which all CPUs write
 */
struct kng_pool {
	atomic64_t head;
	atomic_t idle;
	u32 total;
	u32 nr_chunks;
	struct kng_job *chunk[KNG_MAX_CHUNKS] __aligned(64);
};

/**
 * kng_pool_init() - make an empty pool
 * @pool: zeroed memory
 *
 * Context: Any; before the pool is shared.
 */
static inline void kng_pool_init(struct kng_pool *pool)
{
	atomic64_set(&pool->head, KNG_INDEX_NONE);
}

/**
 * kng_pool_job() - find a job by its index
 * @pool: the pool
 * @index: an index that was read from the pool
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 * Return: the job.
 */
static inline struct kng_job *kng_pool_job(struct kng_pool *pool, u32 index)
{
	return &pool->chunk[index >> KNG_CHUNK_SHIFT]
			   [index & (KNG_CHUNK_JOBS - 1)];
}

/**
 * kng_pool_pop() - take a job
 * @pool: the pool
 *
 * Context: Any, nested NMI included, with preemption off. Never sleeps,
 *	allocates or locks.
 * Return: a job that is now the caller's alone; NULL if the pool was empty.
 */
static inline struct kng_job *kng_pool_pop(struct kng_pool *pool)
{
	/*
	 * The address dependency from the head to the job pairs with the
	 * exchange in kng_pool_push_chain(): ->next and the chunk's table
	 * entry are visible before the index is. It holds for a failed
	 * exchange's reload too. The read of ->next comes before our exchange,
	 * which is fully ordered and pairs with the next owner's: what that one
	 * does to ->next later is never taken for the link that it was.
	 */
	s64 head = atomic64_read(&pool->head);
	struct kng_job *job;
	u64 new;

	do {
		u32 index = head & KNG_INDEX_MASK;

		if (index == KNG_INDEX_NONE)
			return NULL;
		job = kng_pool_job(pool, index);
		new = (head & KNG_TAG_MASK) + KNG_TAG_ONE;
		new |= READ_ONCE(job->next);
		kng_pool_race_point();
	} while (!atomic64_try_cmpxchg(&pool->head, &head, new));

	atomic_dec(&pool->idle);
	return job;
}

/**
 * kng_pool_push_chain() - give back jobs that are linked by ->next
 * @pool: the pool
 * @first: first job of the chain, linked by WRITE_ONCE() to ->next: a stalled
 *	pop may be reading that
 * @last: last job of the chain; its ->next is overwritten
 * @nr: jobs in the chain
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks. The
 *	caller owns all jobs of the chain, and none after the call.
 */
static inline void kng_pool_push_chain(struct kng_pool *pool,
				       struct kng_job *first,
				       struct kng_job *last, u32 nr)
{
	s64 head = atomic64_read(&pool->head);
	u64 new;

	atomic_add(nr, &pool->idle);
	do {
		WRITE_ONCE(last->next, head & KNG_INDEX_MASK);
		new = (head & KNG_TAG_MASK) | first->index;
		kng_pool_race_point();
		/*
		 * Fully ordered: pairs with the dependency and with the
		 * exchange in kng_pool_pop(). The owner's last accesses to the
		 * jobs come before the next owner's first.
		 */
	} while (!atomic64_try_cmpxchg(&pool->head, &head, new));
}

/**
 * kng_pool_push() - give back a job
 * @pool: the pool
 * @job: a job that the caller owns; not the caller's any more after the call
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 */
static inline void kng_pool_push(struct kng_pool *pool, struct kng_job *job)
{
	kng_pool_push_chain(pool, job, job, 1);
}

/**
 * kng_pool_add() - add a chunk of new jobs
 * @pool: the pool
 * @jobs: the chunk; belongs to the pool from now on
 * @nr: 1 to KNG_CHUNK_JOBS jobs
 *
 * Context: Any; callers are serialised. pop and push may run at the same time.
 *	The caller adds fewer than KNG_MAX_CHUNKS chunks: the last index of the
 *	last one is KNG_INDEX_NONE.
 */
static inline void kng_pool_add(struct kng_pool *pool, struct kng_job *jobs,
				u32 nr)
{
	u32 base = pool->nr_chunks << KNG_CHUNK_SHIFT;
	u32 i;

	for (i = 0; i < nr; i++) {
		jobs[i].index = base + i;
		jobs[i].next = base + i + 1;
	}
	/* Published by the exchange in kng_pool_push_chain(). */
	pool->chunk[pool->nr_chunks++] = jobs;
	WRITE_ONCE(pool->total, pool->total + nr);
	kng_pool_push_chain(pool, &jobs[0], &jobs[nr - 1], nr);
}

#endif /* KNG_POOL_H */
