/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kng_promise.h and the code around it take from the kernel, for CBMC.
 *
 *	*_return, xchg			atomic, fully ordered
 *	atomic_inc, atomic_dec, _add	atomic; they order nothing
 *	atomic_read, READ_ONCE		they order nothing
 *	WRITE_ONCE			orders nothing
 *
 * With LATE and EARLY the last three are taken at their word. LATE: such a store happens
 * as late as the thread's next full barrier, though the thread itself sees it at once.
 * EARLY: a load of refs, in_use or the bounds returns what they are, or what they were at
 * the thread's last smp_rmb() or full barrier: loads between two barriers happen
 * in any order.
 *
 * On x86 all atomic instructions are full barriers and loads happen in order, so what
 * holds without either holds there; only the store of by_bounds may be late.
 */
#ifndef MODEL_KERNEL_H
#define MODEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

/* No number comes near its limits: the smaller, the faster. */
typedef unsigned char u32;
typedef signed char s64;
typedef unsigned char u64;

#define __always_inline	inline
#define noinline
#define __aligned(x)
#define unlikely(x)	(x)

typedef struct {
	s64 counter;
} atomic_t;

typedef atomic_t atomic64_t;

/* Which CPU a thread is on. */
static __CPROVER_thread_local u32 this_cpu;

#define raw_smp_processor_id()	this_cpu

/* Defined in promise.c, which knows the variables. */
static void atomic_add(int i, atomic_t *v);
static int atomic_read(const atomic_t *v);
static bool model_read_flag(const bool *flag);
static void model_set_flag(bool *flag);
static void smp_mb(void);
static void smp_rmb(void);

/* The flags that are read and written so are set once. */
#define READ_ONCE(flag)		model_read_flag(&(flag))
#define WRITE_ONCE(flag, value)	model_set_flag(&(flag))
#define smp_mb__before_atomic()	smp_mb()

static int atomic_add_return(int i, atomic_t *v)
{
	int sum;

	smp_mb();
	__CPROVER_atomic_begin();
	sum = v->counter + i;
	v->counter = sum;
	__CPROVER_atomic_end();
	smp_mb();
	return sum;
}

static int atomic_cmpxchg(atomic_t *v, int expected, int i)
{
	int old;

	smp_mb();
	__CPROVER_atomic_begin();
	old = v->counter;
	if (old == expected)
		v->counter = i;
	__CPROVER_atomic_end();
	smp_mb();
	return old;
}

static int atomic_xchg(atomic_t *v, int i)
{
	int old;

	smp_mb();
	__CPROVER_atomic_begin();
	old = v->counter;
	v->counter = i;
	__CPROVER_atomic_end();
	smp_mb();
	return old;
}

#define atomic_inc(v)			atomic_add(1, v)
#define atomic_dec(v)			atomic_add(-1, v)
#define atomic_inc_return(v)		atomic_add_return(1, v)
#define atomic_dec_return(v)		atomic_add_return(-1, v)
#define atomic_sub_return(i, v)		atomic_add_return(-(int)(i), v)
#define atomic64_read(v)		atomic_read(v)
#define atomic64_add(i, v)		atomic_add(i, v)
#define atomic64_sub(i, v)		atomic_add(-(int)(i), v)
#define atomic64_inc(v)			atomic_add(1, v)
#define atomic64_dec(v)			atomic_add(-1, v)
#define atomic64_set(v, i)		((v)->counter = (i))
#define atomic64_inc_return(v)		atomic_add_return(1, v)
#define atomic64_add_return(i, v)	atomic_add_return(i, v)
#define atomic64_sub_return(i, v)	atomic_add_return(-(int)(i), v)

#endif /* MODEL_KERNEL_H */
