// SPDX-License-Identifier: GPL-2.0-only
/*
 * Are promises kept? A model for CBMC: include/kng_promise.h itself, with
 * exact_xchg() of module/exact.c and what it calls there, defer() of module/teardown.c and
 * trim() of module/reserve.c as they stand there (promise.t cuts them out), between
 * all who touch slots and jobs at the same time.
 *
 * A scenario is up to four threads. Each goes through some of these, once:
 *
 *	fill	a program: bpf_kptr_xchg() of a reference into a slot; in NMI or not
 *	take	a program: bpf_kptr_xchg() of NULL; outside NMI, no job is wanted
 *	nmi	teardown of a slot in NMI
 *	free	teardown of a slot outside NMI, in the order of teardown_outside()
 *	work	the worker: the destructor of a pending job, the job back
 *	reserve	trim(): jobs less, if none is promised, of which some can't be marked
 *		and stay; and a sweep
 *	grow	the reserve: a job more
 *	come	a map comes with room for one more reference
 *	go	it goes
 *
 * Threads are on CPU 0, unless they say on_cpu(1). KNG_PROMISE_BATCH is 1, unless the
 * scenario has another.
 *
 * An NMI that ends before what it interrupts goes on is one of the interleavings of
 * two threads: it needs no kind of its own.
 *
 * What is checked, in all interleavings of a scenario:
 *	- an NMI that finds a reference in its slot finds a job for it;
 *	- refs is never less than the number of references in slots and of credits;
 *	- when all is quiet, refs is that number (and those whose end nobody told,
 *	  PHANTOMS), limit is the number of jobs that
 *	  are to stay, in_use that of the pending ones, and a job is idle for each
 *	  reference;
 *	- a refused exchange leaves its slot alone and returns the new pointer, any
 *	  other the old one (where no other thread has that slot).
 *
 * Bounds: two slots, two CPUs, jobs and threads as promise.t says, one loop (over the
 * CPUs). Memory is sequentially consistent; with LATE and EARLY it is as
 * model/kernel.h says.
 * Not seen: releases by programs in NMI, for which nobody promised a job.
 */
#include "kng_promise.h"

/* References; 0 is none. */
static u64 slot0, slot1;
static int full;	/* slots that are, changed with them */
static atomic_t pending;	/* jobs with a reference */
static s64 room;	/* what maps have room for */

static struct kng_promise promise = {
	.pool = &kng_pool, .slack = SLACK, .by_bounds = BY_BOUNDS,
};

/* What this thread has not yet told the others. */
static __CPROVER_thread_local int late_refs, late_limit, late_in_use;
static __CPROVER_thread_local bool late_by_bounds;

/* What a load of this thread may still return. */
static __CPROVER_thread_local int seen_refs, seen_in_use, seen_room;

static void add_now(int i, atomic_t *v)
{
	__CPROVER_atomic_begin();
	v->counter += i;
	__CPROVER_atomic_end();
}

/* Credits at once: one that is late is one that nobody can use yet. */
static void atomic_add(int i, atomic_t *v)
{
	bool now;	/* any value */

	if (!LATE || now || v == &pending || v == &credit0 || v == &credit1)
		add_now(i, v);
	else if (v == &promise.refs)
		late_refs += i;
	else if (v == &promise.limit)
		late_limit += i;
	else
		late_in_use += i;
}

static int atomic_read(const atomic_t *v)
{
	bool old;	/* any value */

	if (EARLY && old)
		return v == &promise.refs ? seen_refs :
		       v == &kng_pool.in_use ? seen_in_use : v->counter;
	if (!LATE)
		return v->counter;
	return v->counter + (v == &promise.refs ? late_refs :
			     v == &promise.limit ? late_limit : late_in_use);
}

static bool model_read_flag(const bool *flag)
{
	if (!BOUNDED && !BY_BOUNDS)
		return false;
	return *flag || late_by_bounds;
}

static void model_set_flag(bool *flag)
{
	bool now;	/* any value */

	if (!LATE || now)
		*flag = true;
	else
		late_by_bounds = true;
}

static void smp_rmb(void)
{
	if (!EARLY)
		return;
	seen_refs = promise.refs.counter;
	seen_in_use = kng_pool.in_use.counter;
	if (BOUNDED)
		seen_room = room;
}

static void smp_mb(void)
{
	if (LATE && late_refs)
		add_now(late_refs, &promise.refs);
	if (LATE && late_limit)
		add_now(late_limit, &promise.limit);
	if (LATE && late_in_use)
		add_now(late_in_use, &kng_pool.in_use);
	if (LATE && late_by_bounds)
		promise.by_bounds = true;
	late_refs = 0;
	late_limit = 0;
	late_in_use = 0;
	late_by_bounds = false;
	smp_rmb();
}

static struct kng_bounds bounds(void)
{
	bool old;	/* any value */
	s64 now = EARLY && old ? seen_room : room;

	return (struct kng_bounds) { .most = BOUNDED ? now : 100 };
}

static const u64 *slot_of(unsigned long slot)
{
	return slot ? &slot1 : &slot0;
}

static u64 model_xchg(unsigned long slot, u64 new)
{
	u64 old;

	smp_mb();
	__CPROVER_atomic_begin();
	if (slot) {
		old = slot1;
		slot1 = new;
	} else {
		old = slot0;
		slot0 = new;
	}
	full += !!new - !!old;
	__CPROVER_assert(promise.refs.counter >= full + credit0.counter + credit1.counter,
			 "refs is not too small");
	__CPROVER_atomic_end();
	smp_mb();
	return old;
}

/* What exact.c and teardown.c take from elsewhere. A slot's address is its number. */
enum { KNG_REFUSED, KNG_RACED };
#define kng_count(what)		((void)0)
static bool kng_exact_short(void) { return false; }
static void kng_offload_schedule(void) { }

#define xchg(slot, new)		model_xchg((unsigned long)(slot), new)
#include "exact.cut.h"
#undef xchg
#define xchg(slot, new)		((void *)(unsigned long)model_xchg((unsigned long)(slot), 0))

struct btf_record {
	int unused;
};

struct module;

struct btf_field {
	struct {
		void *dtor, *module;
	} kptr;
};

static struct {
	bool exact;
} kng_params = { .exact = true };

static int kng_dtor_index(void *dtor, void *module)
{
	return 0;
}

/* The slot, told as the module. */
static struct kng_job *kng_offload_prepare(int dtor, void *module)
{
	return kng_pool_pop(&kng_pool, slot_of((unsigned long)module));
}

static void kng_offload_queue(struct kng_job *job, void *obj)
{
	atomic_inc(&pending);
}

static void kng_offload_cancel(struct kng_job *job)
{
	kng_pool_push(&kng_pool);
}

static void kng_exact_note_removed(const struct btf_record *rec, unsigned int nr)
{
	kng_promise_release(&promise, nr);
}

#include "teardown.cut.h"

static void on_cpu(u32 cpu)
{
	this_cpu = cpu;
}

static void fill(unsigned long slot, u64 new, bool alone)
{
	u64 old = *slot_of(slot);
	u64 got = exact_xchg(slot, new, 0, 0, 0);

	if (alone)
		__CPROVER_assert(*slot_of(slot) == (got == new ? old : new) &&
				 (got == new || got == old), "exchanged, or refused");
}

static void take(unsigned long slot)
{
	exact_xchg(slot, 0, 0, 0, 0);
}

static void nmi(unsigned long slot)
{
	struct btf_field field = { .kptr.module = (void *)slot };

	if (*slot_of(slot))
		defer(NULL, &field, 0, (void **)slot);
}

static void free_outside(unsigned long slot)
{
	if (*slot_of(slot) && model_xchg(slot, 0))
		kng_promise_release(&promise, 1);
}

static void work(void)
{
	bool got;

	__CPROVER_atomic_begin();
	got = pending.counter > 0;
	pending.counter -= got;
	__CPROVER_atomic_end();
	if (got)
		kng_pool_push(&kng_pool);
}

/* What trim() of reserve.c takes from elsewhere. */
static __CPROVER_thread_local u32 marked, can_stay;

enum { KNG_TRIMMED };
#define kng_count_many(what, nr)	((void)(nr))
#define kng_pool_total()		surplus_of_total
#define min(a, b)			((a) < (b) ? (a) : (b))

static __CPROVER_thread_local u32 surplus_of_total;

static bool surplus_lasts(u32 surplus)
{
	return surplus;
}

static bool kng_pool_shrinks(void)
{
	return marked;
}

static bool kng_exact_lower(u32 jobs)
{
	return kng_promise_lower(&promise, jobs, bounds);
}

static void kng_exact_raise(u32 jobs)
{
	kng_promise_raise(&promise, jobs);
}

/* So many can't be marked. */
static u32 kng_pool_mark(u32 jobs)
{
	marked = jobs - can_stay;
	__CPROVER_atomic_begin();
	kng_pool.going += marked;
	__CPROVER_atomic_end();
	return marked;
}

/* A sweep of one job. */
static u32 kng_pool_collect(void)
{
	if (model_stack_pop(&kng_pool, NULL))
		kng_pool_push(&kng_pool);
	return 0;
}

#include "reserve.cut.h"

/* The goal is none, so that the surplus is all that there is said to be. */
static void reserve(u32 surplus, u32 stay)
{
	surplus_of_total = surplus;
	can_stay = stay;
	trim(0);
}

static void grow(void)
{
	model_stack_push(&kng_pool);
	kng_promise_raise(&promise, 1);
}

/* A spinlock's: fully ordered enough. */
static void add_room(s64 some)
{
	smp_mb();
	__CPROVER_atomic_begin();
	room += some;
	__CPROVER_atomic_end();
}

static bool done1, done2, done3, done4;

static void thread1(void) { THREAD1; smp_mb(); done1 = true; }
static void thread2(void) { THREAD2; smp_mb(); done2 = true; }
static void thread3(void) { THREAD3; smp_mb(); done3 = true; }
static void thread4(void) { THREAD4; smp_mb(); done4 = true; }

int main(void)
{
	slot0 = FULL > 0 ? 1 : 0;
	slot1 = FULL > 1 ? 2 : 0;
	full = FULL;
	room = ROOM;
	kng_pool.idle = JOBS;
	credit0.counter = CREDITS;
	promise.refs.counter = FULL + CREDITS + PHANTOMS;
	promise.limit.counter = JOBS;

	__CPROVER_ASYNC_1: thread1();
	__CPROVER_ASYNC_2: thread2();
	if (THREADS > 2)
		__CPROVER_ASYNC_3: thread3();
	if (THREADS > 3)
		__CPROVER_ASYNC_4: thread4();
	__CPROVER_assume(done1 && done2 && (THREADS < 3 || done3) && (THREADS < 4 || done4));

	__CPROVER_assert(promise.refs.counter ==
			 full + credit0.counter + credit1.counter + PHANTOMS,
			 "refs is what is in slots, and credits");
	__CPROVER_assert(credit0.counter >= 0 && credit1.counter >= 0, "no credit is owed");
	__CPROVER_assert(promise.limit.counter == kng_pool.idle + pending.counter - kng_pool.going,
			 "limit is what stays");
	__CPROVER_assert(kng_pool.in_use.counter == pending.counter, "in_use is what is pending");
	__CPROVER_assert(kng_pool.idle - kng_pool.going >= full, "an idle job for each");
#ifdef REACH
	__CPROVER_assert(!(REACH), "can be reached");
#endif
	return 0;
}
