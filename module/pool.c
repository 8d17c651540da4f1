// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for the job pool. The algorithms are in include/kng_pool.h and
 * include/kng_resize.h.
 */
#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "kng_resize.h"
#include "pool.h"

/* Jobs that the sweeper looks at without letting others run. */
#define SWEEP_STEP	256

struct kng_pool kng_pool;

static u32 base_chunks;	/* those of kng_pool_alloc() */

/* Chunks that are gone, and the grace period that their memory waits for. */
static DECLARE_BITMAP(gone, KNG_MAX_CHUNKS);
static unsigned long grace;

/*
 * Not kvcalloc(), which takes a power of two of pages where it can. If there is no
 * memory it fails, rather than have the OOM killer choose a process: __GFP_NORETRY,
 * which every kernel takes here (Linux 6.19 warns of __GFP_RETRY_MAYFAIL, and then
 * drops it).
 */
static struct kng_job *alloc_chunk(u32 nr)
{
	return __vmalloc(array_size(nr, sizeof(struct kng_job)),
			 GFP_KERNEL | __GFP_ZERO | __GFP_NORETRY | __GFP_NOWARN);
}

/* If fewer jobs are idle, an NMI may soon find none. */
static void set_low(void)
{
	kng_pool_set_low(&kng_pool, clamp(kng_pool_total() / 8, 1U, 512U));
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
	set_low();
	return added;
}

/*
 * Chunks that the table has room for. All are full but two: the last one of
 * kng_pool_alloc() and the last one before max_jobs. And as many again, since a chunk
 * that is on its way out keeps its place until a grace period has passed.
 */
static u32 table_size(u32 max_jobs)
{
	return min(2 * (DIV_ROUND_UP(max_jobs, KNG_CHUNK_JOBS) + 1), KNG_MAX_CHUNKS);
}

int kng_pool_alloc(u32 jobs, u32 max_jobs)
{
	u32 places = table_size(max(jobs, max_jobs));
	struct kng_chunk *table = kvcalloc(places, sizeof(*table), GFP_KERNEL);
	struct kng_stack *stacks = kvcalloc(nr_cpu_ids + 1, sizeof(*stacks), GFP_KERNEL);

	if (!table || !stacks) {
		kvfree(table);
		kvfree(stacks);
		return -ENOMEM;
	}
	kng_pool_init(&kng_pool, stacks, nr_cpu_ids, table, places);
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
		marked += chunk->nr;
	}
	return marked;
}

/*
 * Look at no more jobs than there are when it begins: with others popping and pushing
 * all the time a stack might never be seen empty.
 */
static void sweep_stack(u32 cpu, bool back)
{
	s64 looks = __kng_stack_idle(&kng_pool.stack[back ? kng_pool.nr_cpus : cpu]);
	bool left = true;

	while (left && looks > 0) {
		u32 step = min_t(s64, looks, SWEEP_STEP);

		preempt_disable();
		left = kng_resize_sweep(&kng_pool, cpu, back, step);
		preempt_enable();
		looks -= step;
		cond_resched();
	}
}

static void sweep(void)
{
	u32 cpu;

	for (cpu = 0; cpu < kng_pool.nr_cpus; cpu++) {
		sweep_stack(cpu, false);
		sweep_stack(cpu, true);
	}
}

/*
 * A pop that could have seen one of them runs with preemption off: it ends before the
 * grace period does, which begins here.
 */
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
	if (kng_pool_shrinks()) {
		sweep();
		note_gone();
		set_low();
	}
	return freed;
}

bool kng_pool_shrinks(void)
{
	return kng_pool.nr_going;
}

void kng_pool_free(void)
{
	while (kng_pool.nr_chunks)
		vfree(kng_pool.chunk[--kng_pool.nr_chunks].jobs);
	kvfree(kng_pool.chunk);
	kvfree(kng_pool.stack);
}
