/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How memory goes back. A grace period for user space: waits until every thread has been outside of
 * kng_pool_pop() once, like synchronize_rcu() in the module.
 *
 * Each thread has a counter that it bumps only outside. A signal handler that pops
 * is inside: its thread can't bump the counter before it returns.
 *
 * Ordering: both sides exchange on the counter. Pops before the bump are over
 * when grace_wait() returns; pops after it see what was before grace_wait().
 */
#ifndef SELFTESTS_HOST_RECLAIM_H
#define SELFTESTS_HOST_RECLAIM_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define GRACE_THREADS	8

static u64 grace_counter[GRACE_THREADS];
static int grace_threads;

/* This thread is outside. */
static inline void grace_outside(int thread)
{
	__atomic_fetch_add(&grace_counter[thread], 1, __ATOMIC_SEQ_CST);
}

/* Calls @meanwhile() again and again. */
static inline void grace_wait(void (*meanwhile)(void))
{
	u64 seen[GRACE_THREADS];
	int i;

	for (i = 0; i < grace_threads; i++)
		seen[i] = __atomic_fetch_add(&grace_counter[i], 0, __ATOMIC_SEQ_CST);
	for (i = 0; i < grace_threads; i++)
		while (__atomic_load_n(&grace_counter[i], __ATOMIC_ACQUIRE) == seen[i])
			meanwhile();
}

/*
 * Freed memory must not be touched: ASan and TSan watch free(). Without them the
 * pages are taken away.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(KERNEL_TSAN)
static inline struct kng_job *get_memory(u32 nr)
{
	return calloc(nr, sizeof(struct kng_job));
}

static inline void put_memory(struct kng_job *jobs, u32 nr)
{
	(void)nr;
	free(jobs);
}
#else
/* The last ones stay out of reach; then the address may come again. */
#define GRAVES		64

static struct {
	void *start;
	size_t size;
} graves[GRAVES];

static inline struct kng_job *get_memory(u32 nr)
{
	void *start = mmap(NULL, nr * sizeof(struct kng_job), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (start == MAP_FAILED) {
		printf("Bail out! no memory\n");
		exit(1);
	}
	return start;
}

static inline void put_memory(struct kng_job *jobs, u32 nr)
{
	static unsigned int next;
	unsigned int i = next++ % GRAVES;

	if (graves[i].start)
		munmap(graves[i].start, graves[i].size);
	graves[i].start = jobs;
	graves[i].size = nr * sizeof(*jobs);
	mprotect(jobs, graves[i].size, PROT_NONE);
}
#endif

#endif /* SELFTESTS_HOST_RECLAIM_H */
