// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for the job pool. The algorithms are in include/kng_pool.h and
 * include/kng_resize.h.
 */
#include <linux/bitmap.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "kng_resize.h"
#include "pool.h"

/* Jobs that the sweeper looks at without letting others run. */
#define SWEEP_STEP	256

struct kng_pool kng_pool;

static u32 base_chunks;	/* those of kng_pool_alloc() */
static u32 nr_going;	/* marked, not yet freed */

/* Chunks that are gone, and the grace period that their memory waits for. */
static DECLARE_BITMAP(gone, KNG_MAX_CHUNKS);
static unsigned long grace;

/*
 * Not kvcalloc(), which takes a power of two of pages where it can. And rather no
 * memory than that somebody be killed for it: __GFP_NORETRY, which every kernel takes
 * here (Linux 6.19 warns of __GFP_RETRY_MAYFAIL, and then drops it).
 */
static struct kng_job *alloc_chunk(u32 nr)
{
	return __vmalloc(array_size(nr, sizeof(struct kng_job)),
			 GFP_KERNEL | __GFP_ZERO | __GFP_NORETRY | __GFP_NOWARN);
}

u32 kng_pool_grow(u32 jobs)
{
	u32 added = 0;

	while (added < jobs) {
		u32 nr = min(jobs - added, KNG_CHUNK_JOBS);
		struct kng_job *chunk = alloc_chunk(nr);

		if (!chunk)
			break;
		if (!kng_resize_add(&kng_pool, chunk, nr)) {
			vfree(chunk);
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

/* Every pop that could have seen one of them runs with preemption off. */
static void note_gone(void)
{
	u32 slot;

	for (slot = base_chunks; slot < kng_pool.nr_chunks; slot++) {
		if (kng_resize_gone(&kng_pool, slot))
			__set_bit(slot, gone);
	}
	if (!bitmap_empty(gone, KNG_MAX_CHUNKS))
		grace = start_poll_synchronize_rcu();
}

static u32 free_gone(void)
{
	u32 slot, jobs = 0;

	for_each_set_bit(slot, gone, KNG_MAX_CHUNKS) {
		jobs += kng_pool.chunk[slot].nr;
		vfree(kng_resize_remove(&kng_pool, slot));
		nr_going--;
		cond_resched();
	}
	bitmap_zero(gone, KNG_MAX_CHUNKS);
	return jobs;
}

u32 kng_pool_collect(void)
{
	u32 freed = 0;

	if (!bitmap_empty(gone, KNG_MAX_CHUNKS)) {
		if (!poll_state_synchronize_rcu(grace))
			return 0;
		freed = free_gone();
	}
	if (nr_going) {
		sweep(false);
		sweep(true);
		note_gone();
	}
	return freed;
}

bool kng_pool_shrinks(void)
{
	return nr_going;
}

void kng_pool_free(void)
{
	while (kng_pool.nr_chunks)
		vfree(kng_pool.chunk[--kng_pool.nr_chunks].jobs);
}
