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
 * it. On x86 the generated code is the same. What the tests can't see for that
 * reason is a use after the load that does not depend on its value.
 */
#ifndef SELFTESTS_HOST_KERNEL_H
#define SELFTESTS_HOST_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

/* A test can switch to another context before each access to shared memory. */
#ifndef kernel_access
#define kernel_access()		((void)0)
#endif

#define __aligned(x)	__attribute__((aligned(x)))

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

static inline int atomic_read(const atomic_t *v)
{
	kernel_access();
	return __atomic_load_n(&v->counter, __ATOMIC_RELAXED);
}

static inline void atomic_set(atomic_t *v, int i)
{
	kernel_access();
	__atomic_store_n(&v->counter, i, __ATOMIC_RELAXED);
}

static inline void atomic_add(int i, atomic_t *v)
{
	kernel_access();
	__atomic_fetch_add(&v->counter, i, __ATOMIC_RELAXED);
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
	return __atomic_load_n(&v->counter, __ATOMIC_ACQUIRE);
}

static inline void atomic64_set(atomic64_t *v, s64 i)
{
	kernel_access();
	__atomic_store_n(&v->counter, i, __ATOMIC_RELAXED);
}

static inline bool atomic64_try_cmpxchg(atomic64_t *v, s64 *old, s64 new)
{
	kernel_access();
	return __atomic_compare_exchange_n(&v->counter, old, new, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
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
