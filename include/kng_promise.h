/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Promises: an exchange may put a reference into a slot only if a job is left for
 * it. This is what reserve=exact counts with.
 *
 * refs is at least the number of references in slots (exact.c says of which
 * slots, and when that is so); in_use is the pool's; limit is the number of
 * jobs that there are, less those that the trimmer is about to take away. The
 * promise is
 *
 *	refs + in_use <= limit
 *
 * for every reference that was let in. What can break it, and why it does not:
 *
 * take against take. Each raises refs before it looks. Of two that see each
 *   other both may refuse; never do both get the last job.
 *
 * take against a teardown that is deferred. A reference on its way from slot to job is
 *   counted in in_use first (kng_pool_pop()) and taken from refs afterwards
 *   (kng_promise_back()); take and lower read refs first and in_use afterwards.
 *   So they count it once, or twice, but never not at all. The exchanges in
 *   between, of the pool's head and of the slot, are fully ordered.
 *
 * take against lower. take raises refs, then reads limit; lower lowers limit, then
 *   reads refs. Both are fully ordered between: at least one sees the other's
 *   write (store buffering, SB in tools/memory-model), so not both succeed.
 *
 * back without a job: the reference has left its slot for good, no job is wanted.
 *
 * in_use is too small by the pool's calls that are under way, and the sweeper holds
 * a job that is in nobody's use: slack stands for these. Each context of each CPU
 * is in one such call at most.
 *
 * What is not promised: jobs for references that a program has taken out and then
 * releases where that is deferred. They use what is left, and can use what was promised.
 *
 * refs may be wrong: too large, since not all that goes is told, or worth nothing
 * at all. The bounds say how many references there are at least and at most; they
 * are applied when refs is read and never stored, so that they follow what they
 * come from, and no error stays. They are asked for after refs was read: where a
 * map has come in between, that counts; where one has gone, so have its references.
 */
#ifndef KNG_PROMISE_H
#define KNG_PROMISE_H

#include "kng_pool.h"

/**
 * struct kng_promise - what is promised, and of how much
 * @pool: where the jobs are
 * @slack: jobs that are never promised, for calls of the pool that are under way
 * @limit: jobs that can be promised
 * @refs: references that were let in and did not come back
 */
struct kng_promise {
	struct kng_pool *pool;
	s64 slack;
	atomic64_t limit;
	atomic64_t refs;
};

/**
 * struct kng_bounds - what refs is taken for, if it says something else
 * @least: so many references there may well be
 * @most: more there can't be; not less than @least
 */
struct kng_bounds {
	s64 least;
	s64 most;
};

/**
 * kng_promise_clamp() - apply the bounds
 * @refs: what was counted
 * @bounds: what can be
 *
 * Context: Any, nested NMI included.
 * Return: the number of references to go by.
 */
static inline s64 kng_promise_clamp(s64 refs, struct kng_bounds bounds)
{
	if (refs > bounds.most)
		refs = bounds.most;
	return refs < bounds.least ? bounds.least : refs;
}

/* Does it hold? @refs was read first, see above. */
static __always_inline bool __kng_promise_holds(struct kng_promise *p, s64 refs, s64 limit,
						struct kng_bounds (*bounds)(void))
{
	smp_rmb(); /* Pairs with the increment in kng_promise_take(): its map counts. */
	refs = kng_promise_clamp(refs, bounds());
	smp_rmb(); /* Pairs with the exchanges between pop and kng_promise_back(). */
	return refs + atomic_read(&p->pool->in_use) + p->slack <= limit;
}

/**
 * kng_promise_take() - promise a job to a reference
 * @p: the account
 * @bounds: says the bounds of the number of references
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 * Return: true: the reference may go into a slot; kng_promise_back() undoes that.
 *	false: no job can be promised.
 */
static __always_inline bool kng_promise_take(struct kng_promise *p,
					     struct kng_bounds (*bounds)(void))
{
	/* Fully ordered: see take against lower, and against teardown. */
	s64 refs = atomic64_inc_return(&p->refs);

	if (__kng_promise_holds(p, refs, atomic64_read(&p->limit), bounds))
		return true;
	atomic64_dec(&p->refs);
	return false;
}

/**
 * kng_promise_back() - a reference has left its slot
 * @p: the account
 *
 * In NMI it is in a job by now, see above; else it is with its new owner.
 *
 * Context: Any, nested NMI included, after the fully ordered exchange that took
 *	the reference out.
 */
static inline void kng_promise_back(struct kng_promise *p)
{
	atomic64_dec(&p->refs);
}

/**
 * kng_promise_raise() - there are more jobs
 * @p: the account
 * @jobs: so many, which are in the pool already
 *
 * Context: Any.
 */
static inline void kng_promise_raise(struct kng_promise *p, u32 jobs)
{
	smp_mb__before_atomic(); /* The jobs first. */
	atomic64_add(jobs, &p->limit);
}

/**
 * kng_promise_lower() - ask if jobs may go, and count them out if so
 * @p: the account
 * @jobs: how many
 * @bounds: says the bounds of the number of references
 *
 * Context: Any.
 * Return: true: the caller may take so many jobs out of the pool; false: they
 *	are promised.
 */
static __always_inline bool kng_promise_lower(struct kng_promise *p, u32 jobs,
					      struct kng_bounds (*bounds)(void))
{
	/* Fully ordered: see take against lower. */
	s64 limit = atomic64_sub_return(jobs, &p->limit);

	if (__kng_promise_holds(p, atomic64_read(&p->refs), limit, bounds))
		return true;
	atomic64_add(jobs, &p->limit);
	return false;
}

#endif /* KNG_PROMISE_H */
