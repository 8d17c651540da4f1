/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the shared headers take from the kernel, for user space: with this,
 * the tests compile the very lines that the module runs.
 *
 * Ordering is the kernel's documented one (Documentation/atomic_t.txt):
 *
 *	READ_ONCE, WRITE_ONCE, atomic_set	relaxed
 *	atomic_add, atomic_inc, atomic_dec	relaxed (they return nothing)
 *	try_cmpxchg that succeeds, xchg		fully ordered
 *	atomic64_read, try_cmpxchg that fails	relaxed there, acquire here
 *
 * The last line differs because the kernel orders what follows by an address
 * dependency. C11 has a word for that (consume), but no compiler implements
 * it. On x86 the generated code is the same. What TSan can't see for that
 * reason is a use after the load that does not depend on its value: interleave.c
 * has loads return older values for that.
 *
 * Fences are C11's. TSan knows none, so there they are attached to the access
 * that they are there for, and only to that one:
 *
 *	smp_mb__before_atomic()	makes this thread's next atomic_add() a release
 *	smp_rmb()		makes its last atomic_read() an acquire, by reading
 *				the same word again; atomic64_read() is one anyway
 *
 * A fence orders no less than that, and a fence that is missing is missed. The
 * second read may see, and acquire, more than the first one did: a race is
 * overlooked if who reads goes by the first value, and the word moves on just then.
 * An interrupted fence is the interrupted one's: see kernel_nmi_enter().
 */
#ifndef SELFTESTS_HOST_KERNEL_H
#define SELFTESTS_HOST_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

/* A test can switch to another context before each access to shared memory. */
#ifndef kernel_access
#define kernel_access()		((void)0)
#endif

/*
 * A test can have loads of atomic_t and atomic64_t return older values: it is told
 * of each load (whose result it gives), store and barrier.
 */
#ifndef kernel_weak_load
#define kernel_weak_load(word, value)		((void)(word), (value))
#define kernel_weak_store(word, value, full)	((void)(word), (void)(value), (void)(full))
#define kernel_weak_newest(word)		((void)(word))
#define kernel_weak_rmb()			((void)0)
#define kernel_weak_mb()			((void)0)
#endif

/* A test that plays several CPUs sets this, or says in another way where it is. */
static __thread __attribute__((unused)) u32 kernel_cpu;
#ifndef raw_smp_processor_id
#define raw_smp_processor_id()	kernel_cpu
#endif

#define __aligned(x)	__attribute__((aligned(x)))
#define __maybe_unused	__attribute__((unused))
#define noinline	__attribute__((__noinline__))
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

static inline void barrier(void)
{
	__asm__ __volatile__("" : : : "memory");
}

#define READ_ONCE(x)		\
	(kernel_access(), __atomic_load_n(&(x), __ATOMIC_RELAXED))
#define WRITE_ONCE(x, val)	\
	(kernel_access(), __atomic_store_n(&(x), (val), __ATOMIC_RELAXED))

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	s64 counter;
} atomic64_t;

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define KERNEL_TSAN
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define KERNEL_TSAN
#endif

/* Fences of this thread that wait for their access, or accesses for their fence. */
struct kernel_fence {
	const atomic_t *read;
	bool before_atomic;
};

#ifdef KERNEL_TSAN
static __thread struct kernel_fence kernel_fence;

/* Waits for the next atomic_add(). */
static inline void smp_mb__before_atomic(void)
{
	kernel_fence.before_atomic = true;
}

static inline int kernel_add_order(void)
{
	bool release = kernel_fence.before_atomic;

	kernel_fence.before_atomic = false;
	return release ? __ATOMIC_RELEASE : __ATOMIC_RELAXED;
}

static inline void kernel_was_read(const atomic_t *v)
{
	kernel_fence.read = v;
}

/* Comes after an atomic_read(). */
static inline void smp_rmb(void)
{
	if (kernel_fence.read)
		__atomic_load_n(&kernel_fence.read->counter, __ATOMIC_ACQUIRE);
	kernel_fence.read = NULL;
}

/* For a signal handler that plays the NMI: the interrupted thread's fences. */
static inline struct kernel_fence kernel_nmi_enter(void)
{
	struct kernel_fence interrupted = kernel_fence;

	kernel_fence = (struct kernel_fence){ NULL, false };
	return interrupted;
}

static inline void kernel_nmi_exit(struct kernel_fence interrupted)
{
	kernel_fence = interrupted;
}
#else /* KERNEL_TSAN */
/* A fence is a fence. */
static inline void smp_mb__before_atomic(void)
{
	kernel_weak_mb();
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline int kernel_add_order(void)
{
	return __ATOMIC_RELAXED;
}

static inline void kernel_was_read(const atomic_t *v)
{
	(void)v;
}

/* A fence is a fence. */
static inline void smp_rmb(void)
{
	kernel_weak_rmb();
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

static inline struct kernel_fence kernel_nmi_enter(void)
{
	return (struct kernel_fence){ NULL, false };
}

static inline void kernel_nmi_exit(struct kernel_fence interrupted)
{
	(void)interrupted;
}
#endif /* KERNEL_TSAN */

static inline int atomic_read(const atomic_t *v)
{
	kernel_access();
	kernel_was_read(v);
	return kernel_weak_load(v, __atomic_load_n(&v->counter, __ATOMIC_RELAXED));
}

static inline void atomic_set(atomic_t *v, int i)
{
	kernel_access();
	__atomic_store_n(&v->counter, i, __ATOMIC_RELAXED);
	kernel_weak_store(v, i, false);
}

static inline void atomic_add(int i, atomic_t *v)
{
	kernel_access();
	__atomic_fetch_add(&v->counter, i, kernel_add_order());
	kernel_weak_store(v, v->counter, false);
}

static inline void atomic_sub(int i, atomic_t *v)
{
	atomic_add(-i, v);
}

static inline void atomic_inc(atomic_t *v)
{
	atomic_add(1, v);
}

static inline void atomic_dec(atomic_t *v)
{
	atomic_add(-1, v);
}

static inline s64 atomic64_read(const atomic64_t *v)
{
	kernel_access();
	return kernel_weak_load(v, __atomic_load_n(&v->counter, __ATOMIC_ACQUIRE));
}

static inline void atomic64_set(atomic64_t *v, s64 i)
{
	kernel_access();
	__atomic_store_n(&v->counter, i, __ATOMIC_RELAXED);
}

static inline void atomic64_add(s64 i, atomic64_t *v)
{
	kernel_access();
	__atomic_fetch_add(&v->counter, i, __ATOMIC_RELAXED);
	kernel_weak_store(v, v->counter, false);
}

static inline bool atomic64_try_cmpxchg(atomic64_t *v, s64 *old, s64 new)
{
	bool done;

	kernel_access();
	done = __atomic_compare_exchange_n(&v->counter, old, new, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
	if (done)
		kernel_weak_store(v, new, true);
	else
		kernel_weak_newest(v);
	return done;
}

struct llist_node {
	struct llist_node *next;
};

struct llist_head {
	struct llist_node *first;
};

static inline bool llist_add(struct llist_node *new, struct llist_head *head)
{
	struct llist_node *first = READ_ONCE(head->first);

	do {
		WRITE_ONCE(new->next, first);
	} while (!__atomic_compare_exchange_n(&head->first, &first, new, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return !first;
}

static inline struct llist_node *llist_del_all(struct llist_head *head)
{
	return __atomic_exchange_n(&head->first, NULL, __ATOMIC_SEQ_CST);
}

#endif /* SELFTESTS_HOST_KERNEL_H */
