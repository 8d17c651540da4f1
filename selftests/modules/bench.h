/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of kng_bench.ko. */
#ifndef KNG_BENCH_H
#define KNG_BENCH_H

#include <linux/types.h>

struct bpf_map;
struct bpf_prog;

/* What the calls are about; NULL: none. Callers of what follows are serialised. */
extern struct bpf_map *bench_map;
extern struct bpf_prog *bench_prog;
extern void (*bench_symbol)(void *arg);

/*
 * Measures @count calls. @what, @where: see bench_run.c. @last: each drops the last
 * reference. Context: task. Returns 0 or a negative errno.
 */
int bench_run(const char *what, const char *where, unsigned int count, bool last);

struct bench_result {
	u64 min, mean, drain;
};

/* Of the last run. Context: task. Returns false if there was none. */
bool bench_result(struct bench_result *result);

/* How many NMIs were handled. */
atomic64_t *bench_nmis(void);

int bench_run_init(void);
void bench_run_exit(void);

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
