// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for the job pool. The algorithm is in include/kng_pool.h.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "pool.h"

struct kng_pool kng_pool;

int kng_pool_alloc(unsigned int jobs)
{
	kng_pool_init(&kng_pool);
	while (jobs) {
		u32 nr = min(jobs, KNG_CHUNK_JOBS);
		struct kng_job *chunk;

		chunk = kvcalloc(nr, sizeof(*chunk), GFP_KERNEL | __GFP_NOWARN);
		if (!chunk) {
			kng_pool_free();
			return -ENOMEM;
		}
		kng_pool_add(&kng_pool, chunk, nr);
		jobs -= nr;
		cond_resched();
	}
	return 0;
}

void kng_pool_free(void)
{
	while (kng_pool.nr_chunks)
		kvfree(kng_pool.chunk[--kng_pool.nr_chunks]);
}
