/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What reserve=exact adds to a pair of exchanges: a promise is spent, and kept again
 * (include/kng_promise.h). Slots are far from full, and nothing is pending.
 */
#ifndef SELFTESTS_HOST_BENCH_EXCHANGE_H
#define SELFTESTS_HOST_BENCH_EXCHANGE_H

#include "peers.h"

/* All fully ordered, as in the kernel. */
#define atomic_add_return(i, v)		__atomic_add_fetch(&(v)->counter, i, __ATOMIC_SEQ_CST)
#define atomic_sub_return(i, v)		__atomic_sub_fetch(&(v)->counter, i, __ATOMIC_SEQ_CST)
#define atomic_inc_return(v)		atomic_add_return(1, v)
#define atomic_dec_return(v)		atomic_sub_return(1, v)
#define atomic64_add_return(i, v)	atomic_add_return(i, v)
#define atomic64_sub_return(i, v)	atomic_sub_return(i, v)
#define atomic64_inc_return(v)		atomic_add_return(1, v)
#define atomic64_sub(i, v)		((void)atomic_sub_return(i, v))
#define atomic64_dec(v)			atomic64_sub(1, v)
#ifndef smp_mb
/* As the kernel's. */
#define smp_mb()			__atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif

static inline int exchange_cmpxchg(atomic_t *v, int old, int new)
{
	__atomic_compare_exchange_n(&v->counter, &old, new, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
	return old;
}

#define atomic_cmpxchg			exchange_cmpxchg

#include <kng_promise.h>

static struct kng_promise promise;

static struct kng_bounds no_bounds(void)
{
	return (struct kng_bounds){ 0, 0 };
}

static void exchange_init(void)
{
	guard_init();
	memset(&promise, 0, sizeof(promise));
	promise.pool = &kng;
	/* Many times what the CPUs may keep. */
	kng_promise_raise(&promise, MAX_CPUS * 1024);
}

static void *exchange_in(void)
{
	return kng_promise_spend(&promise) || kng_promise_take(&promise, no_bounds) ?
	       &promise : NULL;
}

static void exchange_out(void *unused)
{
	(void)unused;
	kng_promise_keep(&promise);
}

static const struct peer exchange = { "exchange", exchange_init, exchange_in, exchange_out, 16 };

#endif /* SELFTESTS_HOST_BENCH_EXCHANGE_H */
