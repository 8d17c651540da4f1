/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Promises: an exchange may put a reference into a slot only if a job is left for
 * it. This is what reserve=exact counts with.
 *
 * refs is the number of promises. in_use is kng_pool_used(); limit is the number of
 * jobs that there are, less those that the trimmer is about to remove. The rule is
 *
 *	refs + in_use + slack <= limit
 *
 * at each moment at which a promise is made.
 *
 * A promise is behind a reference in a slot, or it is a credit: kept by a CPU for a
 * reference to come. Credits are why exchanges need not write to a shared word: a
 * CPU asks for up to KNG_PROMISE_BATCH promises at a time, and a program that takes a
 * reference out leaves a credit. A CPU that gets none takes the credits of all CPUs
 * back, and asks once more, before it refuses. So at all times
 *
 *	refs >= references in slots (exact.c says of which) + credits
 *
 * since a credit is gone before the slot is filled, and made after the slot was
 * emptied; refs is raised before a credit is made, and lowered after it is gone.
 *
 * What is done at the same time, and why the rule holds:
 *
 *		spend	keep	take	release	lower	raise	pop, push
 *	spend	 a	 a	 a	 -	 -	 -	 -
 *	keep	 a	 a	 a	 -	 -	 -	 -
 *	take	 a	 a	 b	 c	 d	 -	 c
 *	release	 -	 -	 c	 -	 c	 -	 c
 *	lower	 -	 -	 d	 c	 L	 L	 c
 *	raise	 -	 -	 -	 -	 L	 L	 -
 *
 * All but lower and raise run in every context, an NMI nested in any of them included.
 * L: serialised with kng_resize_add(). -: nothing in common but sums.
 *   a: credits are atomic words. A caller that makes one negative adds what it took
 *   again, and has no credit.
 *   b: take raises refs by a batch before it looks, and lowers it by what it does not
 *   get. Of two that see each other both may refuse; never do both get the last job.
 *   c: a reference that is deferred goes from slot to job. It is counted in in_use
 *   first (kng_pool_pop()) and taken from refs afterwards (kng_promise_release());
 *   take and lower read refs first and in_use afterwards. So they count it once, or
 *   twice, but never not at all. The exchanges in between, of the stack's head and of
 *   the slot, are fully ordered. It leaves no credit: its job is not free.
 *   d: take raises refs, then reads limit; lower lowers limit, then reads refs. Both
 *   are fully ordered between: at least one sees the other's write (store
 *   buffering, SB in tools/memory-model), so not both succeed.
 *
 * release without a job: the reference has left its slot for good, no job is wanted.
 *
 * slack: a job can be taken for a slot that turns out to be empty, and the sweeper
 * holds a job. Each context of each CPU is in one such call at most. in_use itself is
 * never too small.
 *
 * What is not promised: jobs for references that a program has taken out and then
 * releases where that is deferred. They use what is left, and can use what was promised.
 *
 * refs may be wrong: too large, since not every end of a reference is reported, or
 * without meaning. The bounds say how many references there are at least and at most.
 * They are applied when refs is read and never stored, so that they follow what they
 * come from, and no error stays. They are asked for after refs was read: if a
 * map has come in between, it counts; if one has gone, so have its references.
 *
 * Bounds and credits exclude each other. If the rule holds by the bounds only, that says
 * no more than that the slots of the present maps can't need more jobs; a credit
 * could be spent on a slot of the next map. So the first take or lower that succeeds
 * only by the bounds sets by_bounds, for good, and from then on all go by the bounds
 * and no credit is worth anything. It sets by_bounds, and then reads the bounds; a map
 * is in the bounds before its slots can be filled, and an exchange that fills one reads
 * by_bounds after that. Both are fully ordered between (SB again): either the
 * bounds have the map, or no credit is spent on it.
 */
#ifndef KNG_PROMISE_H
#define KNG_PROMISE_H

#include "kng_pool.h"

#ifndef KNG_PROMISE_BATCH /* promises that a CPU asks for at a time */
#define KNG_PROMISE_BATCH	16
#endif
/* Credits that a CPU keeps; of more it gives a batch back. */
#define KNG_PROMISE_KEEP	(2 * KNG_PROMISE_BATCH)

/**
 * struct kng_promise - what is promised, and of how much
 * @pool: where the jobs are; the CPUs' credits are with their stacks
 * @slack: jobs that are never promised
 * @by_bounds: refs alone can't be relied upon; no credits
 * @limit: jobs that can be promised
 * @refs: promises; apart from what each exchange reads
 */
struct kng_promise {
	atomic64_t refs;
	struct kng_pool *pool __aligned(64);
	s64 slack;
	bool by_bounds;
	atomic64_t limit;
};

/**
 * struct kng_bounds - limits of what refs can be
 * @least: there may be so many references
 * @most: there can't be more; not less than @least
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

/* The credits of the CPU that we are on; with preemption on, that we were on. */
static inline atomic_t *__kng_promise_credit(const struct kng_promise *p)
{
	return __kng_pool_credit(p->pool, raw_smp_processor_id());
}

/* How many promises more are there jobs for? @refs was read first, see above. */
static __always_inline s64 __kng_promise_left(struct kng_promise *p, s64 refs, s64 limit)
{
	smp_rmb(); /* Pairs with the exchanges between pop and kng_promise_release(). */
	return limit - p->slack - refs - kng_pool_used(p->pool);
}

/* Does the rule hold, by the bounds? */
static __always_inline bool __kng_promise_bounded(struct kng_promise *p, s64 refs, s64 limit,
						  struct kng_bounds (*bounds)(void))
{
	smp_rmb(); /* Pairs with the increment in kng_promise_take(): its map counts. */
	return __kng_promise_left(p, kng_promise_clamp(refs, bounds()), limit) >= 0;
}

/*
 * Make up to KNG_PROMISE_BATCH promises; returns how many. Fully ordered before it
 * looks: see b, c and d.
 */
static __always_inline s64 __kng_promise_batch(struct kng_promise *p)
{
	s64 batch = KNG_PROMISE_BATCH;
	s64 refs = atomic64_add_return(batch, &p->refs);
	s64 left = __kng_promise_left(p, refs - batch, atomic64_read(&p->limit));

	if (left >= batch)
		return batch;
	if (left < 0)
		left = 0;
	atomic64_sub(batch - left, &p->refs);
	return left;
}

/* Make one, by the bounds. */
static __always_inline bool __kng_promise_try_bounded(struct kng_promise *p,
						      struct kng_bounds (*bounds)(void))
{
	s64 refs = atomic64_inc_return(&p->refs);

	if (__kng_promise_bounded(p, refs, atomic64_read(&p->limit), bounds))
		return true;
	atomic64_dec(&p->refs);
	return false;
}

/* By refs the rule does not hold. If by the bounds it does, go by them for good. */
static __always_inline bool __kng_promise_go_by_bounds(struct kng_promise *p, s64 refs, s64 limit,
						       struct kng_bounds (*bounds)(void))
{
	if (!__kng_promise_bounded(p, refs, limit, bounds))
		return false;
	WRITE_ONCE(p->by_bounds, true);
	smp_mb(); /* Before the bounds are read, once more: see above. */
	return true;
}

/*
 * Take all CPUs' credits back. True if there were any.
 *
 * A credit below 0 is the debt of a kng_promise_spend() that fails and is about to undo
 * its decrement. It must stay: without it that increment would make a credit for which
 * refs was not raised. One attempt for each CPU: who changes a credit meanwhile uses it.
 */
static inline bool __kng_promise_collect(struct kng_promise *p)
{
	s64 credits = 0;
	u32 i;

	for (i = 0; i < p->pool->nr_cpus; i++) {
		atomic_t *credit = __kng_pool_credit(p->pool, i);
		int nr = atomic_read(credit);

		/* Fully ordered: a credit is gone before refs is lowered. */
		if (nr > 0 && atomic_cmpxchg(credit, nr, 0) == nr)
			credits += nr;
	}
	atomic64_sub(credits, &p->refs);
	return credits > 0;
}

/**
 * kng_promise_spend() - use a credit of this CPU
 * @p: the account
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 * Return: true: the reference may go into a slot. false: ask kng_promise_take().
 */
static __always_inline bool kng_promise_spend(struct kng_promise *p)
{
	atomic_t *credit = __kng_promise_credit(p);

	if (READ_ONCE(p->by_bounds))
		return false;
	/* Fully ordered: gone before the slot is filled. */
	if (atomic_dec_return(credit) >= 0)
		return true;
	atomic_inc(credit);
	return false;
}

/**
 * kng_promise_take() - promise a job to a reference, and more to this CPU
 * @p: the account
 * @bounds: says the bounds of the number of references
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks. Looks at the
 *	stacks of all CPUs.
 * Return: true: the reference may go into a slot. false: no job can be promised.
 */
static __always_inline bool kng_promise_take(struct kng_promise *p,
					     struct kng_bounds (*bounds)(void))
{
	if (!READ_ONCE(p->by_bounds)) {
		s64 nr = __kng_promise_batch(p);

		if (!nr && __kng_promise_collect(p))
			nr = __kng_promise_batch(p);
		if (nr) {
			atomic_add(nr - 1, __kng_promise_credit(p));
			return true;
		}
		if (!__kng_promise_go_by_bounds(p, atomic64_read(&p->refs) + 1,
						atomic64_read(&p->limit), bounds))
			return false;
	}
	return __kng_promise_try_bounded(p, bounds);
}

/**
 * kng_promise_keep() - a program has taken a reference out of its slot
 * @p: the account
 *
 * The promise stays with this CPU.
 *
 * Context: Any, nested NMI included, after the fully ordered exchange that took the
 *	reference out. Never sleeps, allocates or locks.
 */
static __always_inline void kng_promise_keep(struct kng_promise *p)
{
	atomic_t *credit = __kng_promise_credit(p);

	if (READ_ONCE(p->by_bounds)) {
		atomic64_dec(&p->refs);
		return;
	}
	if (atomic_inc_return(credit) <= KNG_PROMISE_KEEP)
		return;
	/* Fully ordered: a credit is gone before refs is lowered. */
	if (atomic_sub_return(KNG_PROMISE_BATCH, credit) >= 0)
		atomic64_sub(KNG_PROMISE_BATCH, &p->refs);
	else
		atomic_add(KNG_PROMISE_BATCH, credit);
}

/**
 * kng_promise_release() - references have left their slots, and their promises end
 * @p: the account
 * @nr: how many references
 *
 * Those that are deferred are in jobs by now: see c.
 *
 * Context: Any, nested NMI included, after the fully ordered exchanges that took the
 *	references out. Never sleeps, allocates or locks.
 */
static inline void kng_promise_release(struct kng_promise *p, u32 nr)
{
	atomic64_sub(nr, &p->refs);
}

/**
 * kng_promise_refs() - number of references that were let in and have not left
 * @p: the account
 *
 * Context: Any. Exact when quiet, if all ends of references were reported.
 * Return: their number.
 */
static inline s64 kng_promise_refs(const struct kng_promise *p)
{
	s64 refs = atomic64_read(&p->refs);
	u32 i;

	for (i = 0; i < p->pool->nr_cpus; i++)
		refs -= atomic_read(__kng_pool_credit(p->pool, i));
	return refs;
}

/**
 * kng_promise_raise() - there are more jobs
 * @p: the account
 * @jobs: so many, which are in the pool already
 *
 * Context: Any; serialised with kng_promise_lower().
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
 * Context: Any; serialised with kng_promise_raise().
 * Return: true: the caller may take so many jobs out of the pool; false: they
 *	are promised.
 */
static __always_inline bool kng_promise_lower(struct kng_promise *p, u32 jobs,
					      struct kng_bounds (*bounds)(void))
{
	/* Fully ordered: see d. */
	s64 limit = atomic64_sub_return(jobs, &p->limit);

	s64 refs = atomic64_read(&p->refs);

	if (!READ_ONCE(p->by_bounds)) {
		if (__kng_promise_left(p, refs, limit) >= 0)
			return true;
		if (!__kng_promise_go_by_bounds(p, refs, limit, bounds))
			goto refuse;
	}
	if (__kng_promise_bounded(p, refs, limit, bounds))
		return true;
refuse:
	atomic64_add(jobs, &p->limit);
	return false;
}

#endif /* KNG_PROMISE_H */
