/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of kng_bench.ko. */
#ifndef KNG_BENCH_H
#define KNG_BENCH_H

/* Where a kernel function begins, ENDBR included; 0: there is none. Context: task. */
unsigned long bench_address(const char *name);

/*
 * Hooks @function with an empty handler of this @kind, in place of the last one
 * so hooked; "none": only takes that out. Context: task; callers are serialised.
 * Returns 0 or a negative errno.
 */
int bench_peer(const char *kind, const char *function);

/*
 * Pools, each with objects to take and to give back: their calls do both.
 * Context of the calls: preemption off.
 */
int bench_pools_init(void);
void bench_pools_exit(void);
void bench_pool_kng(void);
void bench_pool_llist(void);
void bench_pool_llist_lock(void);
void bench_pool_objpool(void);
void bench_pool_freelist(void);

#endif /* KNG_BENCH_H */
