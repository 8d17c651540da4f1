/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The job pool: preallocated jobs in lock-free stacks, one stack per CPU. It can
 * grow and shrink. Best fit: a set of small objects that are taken in NMI context
 * and given back from anywhere, where "empty" must never be reported by mistake.
 * Limit: 2^24 - 4096 jobs.
 *
 * A CPU pops from its own stack and pushes on its own stack. If its stack is empty
 * it pops from another one (it steals). A stolen job is pushed on the stack of the
 * CPU that ran it, so jobs move to the CPUs that use them. The stack of a CPU that
 * is offline stays in place: the others steal from it.
 *
 * The stack is Treiber's (IBM RJ 5118, 1986) with the generation tag that
 * IBM's System/370 Principles of Operation gives for it. Links are indices,
 * so index and tag share one 64-bit word and no 128-bit exchange is needed. The
 * 64-bit one must be a real instruction, not a lock: CONFIG_64BIT.
 *
 *	63                                    24 23                     0
 *	+---------------------------------------+------------------------+
 *	| tag: pops from this stack so far      | index of the first job |
 *	+---------------------------------------+------------------------+
 *
 * Why the tag: pop() of job A loads A's successor B and stalls; another caller pops
 * A and B and pushes A again. Without a tag the stalled compare-and-exchange
 * finds A on top and succeeds, and B, which is in use, becomes the head. Here
 * the two pops have moved the tag on by two and the exchange fails. A tag
 * repeats after 2^40 pops from one stack. pop() runs with preemption off, so a
 * stall lasts as long as NMIs, or the vCPU's hypervisor, keep one CPU from running;
 * at 10 ns a pop the others would need three hours and to hit one exact pop.
 *
 * The tags also count. Each stack has a second counter, @pushed, which only grows,
 * too. The number of idle jobs is the sum of @pushed less the sum of the tags.
 *
 * Where shrinking needs it (kng_resize.h) there is one more stack, the spare. It
 * belongs to no CPU and is empty but during a sweep. pop() steals from it as from
 * any other.
 *
 * Operation against operation, and the contexts of each:
 *
 *		  pop	push	count	add	shrink
 *	pop	   -	 -	 -	 -	 -	any, preemption off
 *	push	   -	 -	 -	 -	 -	any
 *	count	   -	 -	 -	 -	 -	any
 *	add	   -	 -	 -	 L	 L	task
 *	shrink	   -	 -	 -	 L	 L	task
 *
 * "any": task, softirq, hardirq, NMI, and an NMI nested in any of them by int3 or
 * #DB, on any number of CPUs. "-": needs no lock. "L": the caller serialises.
 * "count" is kng_pool_idle() and kng_pool_used(); "add" and "shrink" are in
 * kng_resize.h.
 *   pop/pop, pop/push, push/push: each takes effect at its compare-and-exchange
 *   of one head word. The loser's reload sees the winner's value, so a retry
 *   means that another caller made progress. A nested caller finishes before
 *   the one that it interrupts goes on; it is just another winner.
 *   push/push on one CPU: a push that is preempted and moved to another CPU goes
 *   on with the stack that it has chosen. Any stack will do.
 *   count/any: see kng_pool_used().
 *   add/any: a chunk is in the table before its first job can be reached
 *   through a head.
 *   shrink/pop, shrink/push: the sweeper pops and pushes as all others do. A
 *   caller that read kng_pool.nr_going or kng_chunk.going too early pushes its job
 *   instead of retiring it. The next sweep retires that job.
 *
 * Invariants:
 *   A job is in one of the stacks, in use by one owner, or retired.
 *   pop() returns NULL only if all stacks were empty at one instant of the call. It
 *   has read all heads twice, all of them once before any of them a second time,
 *   found each empty both times, and the sum of the tags unchanged. A tag never
 *   decreases, so no tag has changed; a stack that was filled and emptied again
 *   would have a higher tag; so each stack was empty from its first look to its
 *   second, and between the two rounds all of them were. (The sum is
 *   wrong if exactly a multiple of 2^40 pops happen in one call: see above.) A job
 *   whose push was interrupted half way is still in use, not hidden. The sweeper,
 *   too, owns one job at a time, for as long as a push takes.
 *   In NMI an empty pool costs these looks: a cache line each, all of which can be
 *   read at the same time. With 64 CPUs that is 131 looks, with 256 it is 515
 *   (selftests/host/scan.c). A theft begins where the last one succeeded, so a burst that
 *   takes all jobs looks at about two heads a job.
 *   Loops end: pop() goes through all heads again only if a tag has moved on, that
 *   is, if another caller took a job. An undisturbed pop() looks at a head at most
 *   three times: 3 + 2 * CPUs heads in all.
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
#include <linux/smp.h>
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
#define KNG_MAX_CHUNKS		((1U << (KNG_INDEX_BITS - KNG_CHUNK_SHIFT)) - 1)

#ifndef kng_pool_race_point /* a test can stop a caller before its exchange */
#define kng_pool_race_point()	do { } while (0)
#endif

/**
 * struct kng_job - one deferred destructor call
 * @node: link in a CPU's pending list while the job is in use
 * @obj: the reference to drop; the owner's while the job is in use
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
 * struct kng_stack - what a CPU has of the pool, in a cache line of its own
 * @head: tag and index of the first idle job
 * @pushed: number of jobs that were ever pushed here; counted after the push
 * @steal_from: the stack that this CPU last stole from; the next theft begins
 *	there. A hint: contexts of the CPU may overwrite each other's.
 * @credit: promises that this CPU may use; belongs to kng_promise.h
 */
struct kng_stack {
	atomic64_t head;
	atomic64_t pushed;
	u32 steal_from;
	atomic_t credit;
} __aligned(64);

/**
 * struct kng_pool - a pool of jobs
 * @total: number of jobs that are not retired; apart from what all calls read
 * @low: how many idle jobs are few; written by kng_pool_set_low()
 * @low_share: a CPU's share of @low, shifted as the tags are
 * @stack: a stack for each CPU number, and the spare
 * @chunk: where the jobs live, up to KNG_CHUNK_JOBS in each
 * @nr_going: chunks that are going: while there is none, push looks at no chunk
 * @nr_cpus: CPU numbers are below this; stack[nr_cpus] is the spare
 * @max_chunks: entries of @chunk
 * @nr_chunks: entries of @chunk that were ever in use; for add and shrink
 * @deal_to: the CPU that has the first jobs of the next chunk; for add
 */
struct kng_pool {
	atomic_t total;
	struct kng_stack *stack __aligned(64);
	struct kng_chunk *chunk;
	s64 low_share;
	u32 low;
	u32 nr_going;
	u32 nr_cpus;
	u32 max_chunks;
	u32 nr_chunks;
	u32 deal_to;
};

/**
 * kng_pool_init() - make an empty pool
 * @pool: zeroed memory
 * @stack: zeroed memory for @nr_cpus + 1 stacks
 * @nr_cpus: number of CPUs; less than 2^24 - 1
 * @chunk: zeroed memory for @max_chunks entries
 * @max_chunks: at most KNG_MAX_CHUNKS
 *
 * The memory is the pool's as long as that is in use.
 *
 * Context: Any; before the pool is shared.
 */
static inline void kng_pool_init(struct kng_pool *pool, struct kng_stack *stack, u32 nr_cpus,
				 struct kng_chunk *chunk, u32 max_chunks)
{
	u32 i;

	pool->stack = stack;
	pool->nr_cpus = nr_cpus;
	pool->chunk = chunk;
	pool->max_chunks = max_chunks;
	for (i = 0; i <= nr_cpus; i++) {
		atomic64_set(&stack[i].head, KNG_INDEX_NONE);
		stack[i].steal_from = i;
	}
}

/* The stack of the CPU that we are on; with preemption on, that we were on. */
static inline struct kng_stack *__kng_pool_own(const struct kng_pool *pool)
{
	return &pool->stack[raw_smp_processor_id()];
}

/* Where kng_promise.h keeps the credits of a CPU. */
static inline atomic_t *__kng_pool_credit(const struct kng_pool *pool, u32 cpu)
{
	return &pool->stack[cpu].credit;
}

/**
 * kng_pool_job() - find a job by its index
 * @pool: the pool
 * @index: an index that was read from the pool
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 * Return: the job.
 */
static inline struct kng_job *kng_pool_job(const struct kng_pool *pool, u32 index)
{
	return &pool->chunk[index >> KNG_CHUNK_SHIFT]
			   .jobs[index & (KNG_CHUNK_JOBS - 1)];
}

/* Pop from one stack. NULL if it was empty. *@seen: the head word that says so. */
static inline struct kng_job *__kng_stack_pop(const struct kng_pool *pool,
					      struct kng_stack *stack, s64 *seen)
{
	/*
	 * The address dependency from the head to the job pairs with the
	 * exchange in __kng_stack_push(): ->next and the chunk's table entry are
	 * visible before the index is. It holds for a failed exchange's reload
	 * too. The read of ->next comes before our exchange, which is fully
	 * ordered and pairs with the next owner's: what that one does to ->next
	 * later is never taken for the link that it was.
	 */
	s64 head = atomic64_read(&stack->head);
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
	} while (!atomic64_try_cmpxchg(&stack->head, &head, new));

	*seen = head; /* Not used then; the compiler can't know that. */
	return job;
}

/* Push @nr jobs on one stack: from the one with index @first to the one whose ->next is *@end. */
static inline void __kng_stack_push(struct kng_stack *stack, u32 first, u32 *end, u32 nr)
{
	s64 head = atomic64_read(&stack->head);
	u64 new;

	do {
		WRITE_ONCE(*end, head & KNG_INDEX_MASK);
		new = (head & KNG_TAG_MASK) | first;
		kng_pool_race_point();
		/*
		 * Fully ordered: pairs with the dependency and with the
		 * exchange in __kng_stack_pop(). The owner's last accesses to the
		 * jobs come before the next owner's first.
		 */
	} while (!atomic64_try_cmpxchg(&stack->head, &head, new));

	/* After the exchange, so that idle jobs are never counted too many. */
	atomic64_add(nr, &stack->pushed);
}

/*
 * This CPU's stack was empty. Go round all stacks, until one has a job, or two
 * rounds in a row find all of them empty and the sum of their words the same.
 */
static noinline __maybe_unused struct kng_job *
__kng_pool_steal(const struct kng_pool *pool, struct kng_stack *own)
{
	/* No sum is 0: its lower bits are KNG_INDEX_NONE times the number of stacks. */
	u64 sum = 0, before;

	do {
		u32 i = READ_ONCE(own->steal_from), left = pool->nr_cpus + 1;

		before = sum;
		sum = 0;
		while (left--) {
			s64 empty;
			struct kng_job *job = __kng_stack_pop(pool, &pool->stack[i], &empty);

			if (job) {
				WRITE_ONCE(own->steal_from, i);
				return job;
			}
			sum += empty;
			i = i == pool->nr_cpus ? 0 : i + 1;
		}
		/*
		 * All looks of one round come before those of the next. Pairs with the
		 * exchanges, fully ordered, of a caller that pops a job from one stack and
		 * pushes it on another: if our first look at the second stack came after its
		 * push, our second look at the first stack sees its pop.
		 */
		smp_rmb();
	} while (sum != before);
	return NULL;
}

/**
 * kng_pool_pop_own() - take a job from this CPU's stack
 * @pool: the pool
 *
 * For callers that want kng_pool_pop() out of their way while there is a job here.
 *
 * Context: As kng_pool_pop().
 * Return: a job that is now the caller's alone; NULL if this stack was empty.
 */
static inline struct kng_job *kng_pool_pop_own(struct kng_pool *pool)
{
	s64 empty;

	return __kng_stack_pop(pool, __kng_pool_own(pool), &empty);
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
	struct kng_stack *own = __kng_pool_own(pool);
	s64 empty;
	struct kng_job *job = __kng_stack_pop(pool, own, &empty);

	return likely(job) ? job : __kng_pool_steal(pool, own);
}

/* If the job's chunk is going, that is the end of the job, which the caller owns. */
static inline bool __kng_pool_retire(struct kng_pool *pool, struct kng_job *job)
{
	struct kng_chunk *chunk;

	if (likely(!READ_ONCE(pool->nr_going)))
		return false;
	chunk = &pool->chunk[job->index >> KNG_CHUNK_SHIFT];
	if (!READ_ONCE(chunk->going))
		return false;
	atomic_dec(&pool->total);
	/* Last: a caller that sees the sum may free the job. Pairs with kng_resize_gone(). */
	smp_mb__before_atomic();
	atomic_inc(&chunk->retired);
	return true;
}

/**
 * kng_pool_push() - put a job back
 * @pool: the pool
 * @job: a job that the caller owns; not the caller's any more after the call
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 */
static inline void kng_pool_push(struct kng_pool *pool, struct kng_job *job)
{
	if (!__kng_pool_retire(pool, job))
		__kng_stack_push(__kng_pool_own(pool), job->index, &job->next, 1);
}

/**
 * struct kng_chain - jobs that go back together
 * @end: where the index of one more is written: @first, then ->next of the last
 * @first: index of the first
 * @nr: how many; 0: an empty chain
 */
struct kng_chain {
	u32 *end;
	u32 first;
	u32 nr;
};

/* The initial value of @chain */
#define KNG_EMPTY_CHAIN(chain)	{ .end = &(chain).first }

/**
 * kng_pool_chain() - collect a job that is to go back
 * @end: @end of a chain
 * @job: a job that the caller owns, but may only read from now on
 *
 * A loop may keep @end in a register. It writes that back, and adds to @nr, before anybody
 * else uses the chain. kng_pool_push_chain() must follow; until then the jobs are in use.
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 * Return: the new @end.
 */
static __always_inline u32 *kng_pool_chain(u32 *end, struct kng_job *job)
{
	WRITE_ONCE(*end, job->index);
	return &job->next;
}

/* One by one: some may be at their end. */
static noinline __maybe_unused
void __kng_pool_push_each(struct kng_pool *pool, const struct kng_chain *chain)
{
	u32 index = chain->first, left = chain->nr;

	while (left--) {
		struct kng_job *job = kng_pool_job(pool, index);

		index = job->next; /* Of the last one: nothing. */
		kng_pool_push(pool, job);
	}
}

/**
 * kng_pool_push_chain() - put jobs back
 * @pool: the pool
 * @chain: the jobs; empty afterwards
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 */
static inline void kng_pool_push_chain(struct kng_pool *pool, struct kng_chain *chain)
{
	if (unlikely(READ_ONCE(pool->nr_going)))
		__kng_pool_push_each(pool, chain);
	else if (chain->nr)
		__kng_stack_push(__kng_pool_own(pool), chain->first, chain->end, chain->nr);
	chain->end = &chain->first;
	chain->nr = 0;
}

/* Number of jobs in one stack, less the pushes under way; shifted as the tags are. */
static inline s64 __kng_stack_idle_shifted(const struct kng_stack *stack)
{
	u64 pushed = atomic64_read(&stack->pushed);

	smp_rmb(); /* See kng_pool_used(). */
	/* Both modulo 2^40. */
	return (pushed << KNG_INDEX_BITS) - ((u64)atomic64_read(&stack->head) & KNG_TAG_MASK);
}

/* Number of jobs in one stack, less the pushes under way. */
static inline s64 __kng_stack_idle(const struct kng_stack *stack)
{
	return __kng_stack_idle_shifted(stack) >> KNG_INDEX_BITS;
}

/* What was pushed less what was popped; *@total is read between the two. */
static inline int __kng_pool_count(const struct kng_pool *pool, int *total)
{
	u64 pushed = 0, popped = 0;
	u32 i;

	for (i = 0; i <= pool->nr_cpus; i++)
		pushed += atomic64_read(&pool->stack[i].pushed);
	smp_rmb(); /* See kng_pool_used(). */
	*total = atomic_read(&pool->total);
	smp_rmb(); /* See kng_pool_used(). */
	for (i = 0; i <= pool->nr_cpus; i++)
		popped += (u64)atomic64_read(&pool->stack[i].head) & KNG_TAG_MASK;
	/* Both modulo 2^40. */
	return (s64)((pushed << KNG_INDEX_BITS) - popped) >> KNG_INDEX_BITS;
}

/**
 * kng_pool_idle() - number of jobs in the stacks
 * @pool: the pool
 *
 * Looks at all stacks.
 *
 * Context: Any, nested NMI included. Exact when quiet. Else it may be too small, also
 *	less than 0, by the calls that are under way; never too large.
 * Return: their number.
 */
static inline int kng_pool_idle(const struct kng_pool *pool)
{
	int total;

	return __kng_pool_count(pool, &total);
}

/**
 * kng_pool_used() - number of jobs that have an owner
 * @pool: the pool
 *
 * Looks at all stacks. What it returns is at least the number of jobs that were in use
 * when it read @total. A job that the sweeper holds counts as in use.
 *
 * Proof. Let T be that instant. No counter decreases but @total, and it reads them in
 * this order: all @pushed, @total, all tags. So it sees no push that comes after T, and
 * all pops that came before T: what it takes for idle is not more than what was idle
 * at T. A push counts when it is done, a pop counts by being done. add raises @total
 * before it pushes; a job is popped before retiring it lowers @total.
 * Its two smp_rmb() pair with the exchange in __kng_stack_pop(), fully ordered: if it sees
 * the push of a job, or its retirement, it sees the pop that came before.
 *
 * Context: Any, nested NMI included. Exact when quiet. Else it may be too large by the
 *	calls that are under way; never too small.
 * Return: their number.
 */
static inline int kng_pool_used(const struct kng_pool *pool)
{
	int total;
	int idle = __kng_pool_count(pool, &total);

	return total - idle;
}

/**
 * kng_pool_set_low() - say how many idle jobs are few
 * @pool: the pool
 * @mark: so many
 *
 * Context: Any; callers are serialised.
 */
static inline void kng_pool_set_low(struct kng_pool *pool, u32 mark)
{
	u32 share = (mark + pool->nr_cpus - 1) / pool->nr_cpus;

	WRITE_ONCE(pool->low, mark);
	WRITE_ONCE(pool->low_share, (s64)share << KNG_INDEX_BITS);
}

/**
 * kng_pool_low() - ask if few jobs are left, cheaply
 * @pool: the pool
 *
 * As long as this CPU's stack has its share of the mark it looks no further.
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 * Return: true if fewer jobs are idle than kng_pool_set_low() said, and fewer than its
 *	share here.
 */
static inline bool kng_pool_low(const struct kng_pool *pool)
{
	if (__kng_stack_idle_shifted(__kng_pool_own(pool)) >= READ_ONCE(pool->low_share))
		return false;
	return kng_pool_idle(pool) < (int)READ_ONCE(pool->low);
}

#endif /* KNG_POOL_H */
