/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The job pool: a lock-free stack of preallocated jobs, which can grow and shrink.
 * Best fit: a fixed set of small objects that are taken in NMI context and
 * given back from anywhere, where "empty" must never be said by mistake. Limits:
 * 2^24 - 4096 jobs; all CPUs share one cache line: for bursts, not a hot path.
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
 * The pool can shrink (kng_resize.h). For that there is a second stack, the
 * spare, empty but during a sweep: pop() looks at both.
 *
 * Who may do what at the same time:
 *
 *		  pop	push	add	shrink
 *	pop	   -	 -	 -	 -
 *	push	   -	 -	 -	 -
 *	add	   -	 -	 L	 L
 *	shrink	   -	 -	 L	 L
 *
 * "-" needs no lock, in every context (task, softirq, hardirq, NMI, an NMI
 * nested in any of them by int3 or #DB), on any number of CPUs. "L": the
 * caller serialises; others may read what it counts. "add" and "shrink" are in
 * kng_resize.h.
 *   pop/pop, pop/push, push/push: each linearises at its compare-and-exchange
 *   of a head word. The loser's reload sees the winner's value, so a retry
 *   means that another caller made progress. A nested caller finishes before
 *   the one that it interrupts goes on; it is just another winner.
 *   add/any: a chunk is in the table before its first job can be reached
 *   through the head.
 *   shrink/pop, shrink/push: the sweeper's pops and pushes are like others. Who
 *   did not see the mark pushes a job that should go: the next sweep finds it.
 *
 * Invariants:
 *   A job is in one of the stacks, in use by one owner, or retired.
 *   pop() returns NULL only if both stacks were empty at one instant: it read the
 *   head as empty, the spare as empty, and the head again with the same tag, so
 *   the head was empty all the time between. A job whose push was interrupted
 *   half way is still in use, not hidden. The sweeper, too, owns one job at a
 *   time, for as long as a push takes, and runs only where jobs are left over.
 *   Jobs are type-stable: ->next may be read by a stalled pop() after the job
 *   left the stack. Chunks are freed, and their place in the table is used
 *   again, only after every pop() that could have seen them has ended; an RCU
 *   grace period, since pop() runs with preemption off.
 */
#ifndef KNG_POOL_H
#define KNG_POOL_H

#ifdef __KERNEL__
#ifndef CONFIG_64BIT
#error "the job pool needs a 64-bit compare-and-exchange that NMIs may use"
#endif
#include <asm/barrier.h>
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

#ifndef kng_pool_race_point /* a test can stop a caller before its exchange */
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
 * struct kng_chunk - jobs that were allocated together
 * @jobs: the memory; NULL if this place in the table is free
 * @nr: how many jobs
 * @going: they are to be retired; set by kng_resize_mark()
 * @retired: how many of them are
 */
struct kng_chunk {
	struct kng_job *jobs;
	u16 nr;
	bool going;
	atomic_t retired;
};

/**
 * struct kng_pool - a pool of jobs
 * @head: tag and index of the first idle job
 * @spare: the same for the second stack, which is empty but during a sweep
 * @in_use: number of jobs that have an owner; counts a job from after it was
 *	popped until before it is pushed, so that it is exact when quiet, and
 *	else too small by the calls that are under way
 * @total: number of jobs that are not retired
 * @nr_chunks: entries of @chunk that were ever in use; for who adds and shrinks
 * @chunk: where the jobs live, up to KNG_CHUNK_JOBS in each; away from @head,
 *	which all CPUs write
 */
struct kng_pool {
	atomic64_t head;
	atomic64_t spare;
	atomic_t in_use;
	atomic_t total;
	u32 nr_chunks;
	struct kng_chunk chunk[KNG_MAX_CHUNKS] __aligned(64);
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
	atomic64_set(&pool->spare, KNG_INDEX_NONE);
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
			   .jobs[index & (KNG_CHUNK_JOBS - 1)];
}

/* Pop from one stack. NULL if it was empty. *@seen: the head word that says so. */
static inline struct kng_job *__kng_stack_pop(struct kng_pool *pool,
					      atomic64_t *stack, s64 *seen)
{
	/*
	 * The address dependency from the head to the job pairs with the
	 * exchange in __kng_stack_push(): ->next and the chunk's table entry are
	 * visible before the index is. It holds for a failed exchange's reload
	 * too. The read of ->next comes before our exchange, which is fully
	 * ordered and pairs with the next owner's: what that one does to ->next
	 * later is never taken for the link that it was.
	 */
	s64 head = atomic64_read(stack);
	struct kng_job *job;
	u64 new;

	do {
		u32 index = head & KNG_INDEX_MASK;

		if (index == KNG_INDEX_NONE) {
			*seen = head;
			return NULL;
		}
		job = kng_pool_job(pool, index);
		new = (head & KNG_TAG_MASK) + KNG_TAG_ONE;
		new |= READ_ONCE(job->next);
		kng_pool_race_point();
	} while (!atomic64_try_cmpxchg(stack, &head, new));

	*seen = head; /* Nobody looks; the compiler can't know that. */
	return job;
}

/* Push a chain of jobs on one stack. */
static inline void __kng_stack_push(atomic64_t *stack, struct kng_job *first,
				    struct kng_job *last)
{
	s64 head = atomic64_read(stack);
	u64 new;

	do {
		WRITE_ONCE(last->next, head & KNG_INDEX_MASK);
		new = (head & KNG_TAG_MASK) | first->index;
		kng_pool_race_point();
		/*
		 * Fully ordered: pairs with the dependency and with the
		 * exchange in __kng_stack_pop(). The owner's last accesses to the
		 * jobs come before the next owner's first.
		 */
	} while (!atomic64_try_cmpxchg(stack, &head, new));
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
	s64 empty, spare_empty;
	struct kng_job *job;

	do {
		job = __kng_stack_pop(pool, &pool->head, &empty);
		if (job)
			break;
		/*
		 * Both pair with the sweeper's exchanges, fully ordered: had the
		 * spare's last job gone to the head before we read the spare,
		 * the head's word would show it.
		 */
		smp_rmb();
		job = __kng_stack_pop(pool, &pool->spare, &spare_empty);
		if (job)
			break;
		smp_rmb(); /* See above. */
	} while (atomic64_read(&pool->head) != empty);

	if (job)
		atomic_inc(&pool->in_use);
	return job;
}

/* If the job's chunk is going, that is the end of the job, which the caller owns. */
static inline bool __kng_pool_retire(struct kng_pool *pool, struct kng_job *job)
{
	struct kng_chunk *chunk = &pool->chunk[job->index >> KNG_CHUNK_SHIFT];

	if (!READ_ONCE(chunk->going))
		return false;
	atomic_dec(&pool->total);
	/* Last: who sees the sum may free the job. Pairs with kng_resize_gone(). */
	smp_mb__before_atomic();
	atomic_inc(&chunk->retired);
	return true;
}

/**
 * kng_pool_idle() - number of jobs that nobody owns
 * @pool: the pool
 *
 * Context: Any, nested NMI included. Exact when quiet, else too large by the
 *	calls that are under way; the sweeper's job counts as idle.
 * Return: their number.
 */
static inline int kng_pool_idle(const struct kng_pool *pool)
{
	return atomic_read(&pool->total) - atomic_read(&pool->in_use);
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
	atomic_dec(&pool->in_use);
	if (!__kng_pool_retire(pool, job))
		__kng_stack_push(&pool->head, job, job);
}

#endif /* KNG_POOL_H */
