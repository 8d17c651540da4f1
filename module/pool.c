// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for the job pool. The algorithms are in include/kng_pool.h and
 * include/kng_resize.h.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "kng_resize.h"
#include "pool.h"

/* Jobs that the sweeper looks at without letting others run. */
#define SWEEP_STEP	256
/* One grace period serves so many chunks, or fewer. */
#define FREE_BATCH	64

struct kng_pool kng_pool;

static u32 base_chunks;	/* those of kng_pool_alloc() */
static u32 nr_going;	/* marked, not yet freed */

u32 kng_pool_grow(u32 jobs)
{
	u32 added = 0;

	while (added < jobs) {
		u32 nr = min(jobs - added, KNG_CHUNK_JOBS);
		struct kng_job *chunk;

		chunk = kvcalloc(nr, sizeof(*chunk), GFP_KERNEL | __GFP_NOWARN);
		if (!chunk)
			break;
		if (!kng_resize_add(&kng_pool, chunk, nr)) {
			kvfree(chunk);
			break;
		}
		added += nr;
		cond_resched();
	}
	return added;
}

int kng_pool_alloc(unsigned int jobs)
{
	kng_pool_init(&kng_pool);
	if (kng_pool_grow(jobs) < jobs) {
		kng_pool_free();
		return -ENOMEM;
	}
	base_chunks = kng_pool.nr_chunks;
	return 0;
}

u32 kng_pool_mark(u32 jobs)
{
	u32 slot = kng_pool.nr_chunks, marked = 0;

	while (slot-- > base_chunks) {
		struct kng_chunk *chunk = &kng_pool.chunk[slot];

		if (!chunk->jobs || chunk->going || chunk->nr > jobs - marked)
			continue;
		kng_resize_mark(&kng_pool, slot);
		nr_going++;
		marked += chunk->nr;
	}
	return marked;
}

/*
 * Look at as many jobs as there are: with others popping and pushing all the
 * time the stack might never be seen empty.
 */
static void sweep(bool back)
{
	u32 looks = kng_pool_total();
	bool left = true;

	while (left && looks) {
		u32 step = min(looks, SWEEP_STEP);

		preempt_disable();
		left = kng_resize_sweep(&kng_pool, back, step);
		preempt_enable();
		looks -= step;
		cond_resched();
	}
}

static u32 free_some(bool *more)
{
	u32 slots[FREE_BATCH], nr = 0, jobs = 0, slot;

	for (slot = base_chunks; slot < kng_pool.nr_chunks && nr < FREE_BATCH; slot++) {
		if (kng_resize_gone(&kng_pool, slot))
			slots[nr++] = slot;
	}
	*more = nr == FREE_BATCH;
	if (!nr)
		return 0;

	/* Every pop that could have seen one of them runs with preemption off. */
	synchronize_rcu();
	nr_going -= nr;
	while (nr--) {
		jobs += kng_pool.chunk[slots[nr]].nr;
		kvfree(kng_resize_remove(&kng_pool, slots[nr]));
	}
	return jobs;
}

u32 kng_pool_collect(void)
{
	bool more = nr_going;
	u32 freed = 0;

	if (nr_going) {
		sweep(false);
		sweep(true);
	}
	while (more)
		freed += free_some(&more);
	return freed;
}

bool kng_pool_shrinks(void)
{
	return nr_going;
}

void kng_pool_free(void)
{
	while (kng_pool.nr_chunks)
		kvfree(kng_pool.chunk[--kng_pool.nr_chunks].jobs);
}
