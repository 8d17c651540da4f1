/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kng_promise.h and the code around it take from the kernel, for CBMC.
 *
 *	*_return, xchg			atomic, fully ordered
 *	atomic_inc, atomic_dec, _add	atomic; they order nothing, which with WEAK is
 *					taken at its word: they may happen as late as
 *					the thread's next full barrier, though the
 *					thread itself sees them at once
 *
 * On x86 all of these are full barriers, so what holds without WEAK holds there.
 */
#ifndef MODEL_KERNEL_H
#define MODEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

/* No number comes near its limits: the smaller, the faster. */
typedef unsigned int u32;
typedef int s64;
typedef unsigned int u64;

#define __always_inline	inline

typedef struct {
	int counter;
} atomic_t;

typedef atomic_t atomic64_t;

/* Defined in promise.c, which knows the variables. */
static void atomic_add(int i, atomic_t *v);
static int atomic_read(const atomic_t *v);
static void smp_mb(void);

#define smp_rmb()		((void)0)
#define smp_mb__before_atomic()	smp_mb()

static int atomic_add_return(int i, atomic_t *v)
{
	int sum;

	smp_mb();
	__CPROVER_atomic_begin();
	sum = v->counter + i;
	v->counter = sum;
	__CPROVER_atomic_end();
	return sum;
}

#define atomic_inc(v)			atomic_add(1, v)
#define atomic_dec(v)			atomic_add(-1, v)
#define atomic64_read(v)		atomic_read(v)
#define atomic64_add(i, v)		atomic_add(i, v)
#define atomic64_dec(v)			atomic_add(-1, v)
#define atomic64_inc(v)			atomic_add(1, v)
#define atomic64_set(v, i)		((v)->counter = (i))
#define atomic64_inc_return(v)		atomic_add_return(1, v)
#define atomic64_sub_return(i, v)	atomic_add_return(-(int)(i), v)

#endif /* MODEL_KERNEL_H */
