// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of chunks: when it is full, when a place is used again; and that only
 * pop() is waited for, not push().
 *
 * For the latter, threads that only push give back the jobs of a chunk that is
 * going, and its memory is freed as soon as it is gone, without a word from them.
 * Nothing but the count of retired jobs orders what they did to a job before that.
 */
#include <pthread.h>
#include <sched.h>

#define SETUP_CHUNKS	KNG_MAX_CHUNKS
#include "chain.h"
#include "setup.h"
#include "tap.h"

#define FULL		KNG_MAX_CHUNKS
#define CPUS		3
#define PUSHERS		2
#define HANDED		32	/* jobs of a chunk */

#ifndef CALLS
#define CALLS		300000
#endif

static struct kng_pool pool;
static struct kng_job jobs[FULL], more;

static void fill(void)
{
	u32 i, refused = 0, wrong = 0;

	setup_pool(&pool, CPUS);
	for (i = 0; i < FULL; i++) {
		if (!kng_resize_add(&pool, &jobs[i], 1))
			refused++;
		else if (kng_pool_job(&pool, i << KNG_CHUNK_SHIFT) != &jobs[i] ||
			 jobs[i].index != i << KNG_CHUNK_SHIFT)
			wrong++;
	}
	tap_ok(!refused && !wrong && (u32)atomic_read(&pool.total) == FULL,
	       "the table takes %d chunks (%u refused, %u at a wrong place)", FULL,
	       refused, wrong);
	tap_ok(!kng_resize_add(&pool, &more, 1) && !kng_resize_add(&pool, &more, 1) &&
	       (u32)atomic_read(&pool.total) == FULL && (u32)kng_pool_idle(&pool) == FULL &&
	       pool.nr_chunks == FULL && !more.index,
	       "the next one is refused, and nothing has changed");
}

/* True if that was not all. */
static bool sweep(u32 max)
{
	bool left = false;
	u32 cpu;

	for (cpu = 0; cpu < CPUS; cpu++) {
		left |= kng_resize_sweep(&pool, cpu, false, max);
		left |= kng_resize_sweep(&pool, cpu, true, max);
	}
	return left;
}

static bool drop(u32 slot)
{
	kng_resize_mark(&pool, slot);
	return !kng_resize_gone(&pool, slot) && !sweep(FULL + 1) &&
	       kng_resize_gone(&pool, slot);
}

static void reuse(u32 slot)
{
	struct kng_job *job;
	u32 nr = 0, wrong = 0;
	bool good;

	good = drop(slot);
	tap_ok(good && (u32)atomic_read(&pool.total) == FULL - 1 &&
	       (u32)kng_pool_idle(&pool) == FULL - 1,
	       "chunk %u goes in one sweep, and nothing else does", slot);
	tap_ok(!kng_resize_add(&pool, &more, 1), "its place is not free before it is removed");
	good = kng_resize_remove(&pool, slot) == &jobs[slot];
	/* What is taken out must not be touched. */
	memset(&jobs[slot], 0xee, sizeof(jobs[slot]));
	tap_ok(good && kng_resize_add(&pool, &more, 1) &&
	       kng_pool_job(&pool, slot << KNG_CHUNK_SHIFT) == &more &&
	       !kng_resize_gone(&pool, slot),
	       "its place is used again, by a chunk that stays");
	tap_ok(!kng_resize_add(&pool, &jobs[slot], 1), "and the table is full again");

	while (nr <= FULL) {
		job = kng_pool_pop(&pool);
		if (!job)
			break;
		nr++;
		if (job->obj)
			wrong++;
		job->obj = job;
	}
	tap_ok(nr == FULL && !wrong, "each job comes out once (%u jobs, %u wrong)", nr, wrong);
	more.obj = NULL;
	for (nr = 0; nr < FULL; nr++) {
		jobs[nr].obj = NULL;
		kng_pool_push(&pool, nr == slot ? &more : &jobs[nr]);
	}
	tap_ok((u32)atomic_read(&pool.total) == FULL && (u32)kng_pool_idle(&pool) == FULL,
	       "each goes back: the place's last chunk retires none of its next one's");
	drop(slot);
	kng_resize_remove(&pool, slot);
	memset(&more, 0, sizeof(more));
	memset(&jobs[slot], 0, sizeof(jobs[slot]));
	kng_resize_add(&pool, &jobs[slot], 1);
}

/* All jobs of a chunk are in use when it is marked: no sweep has to find them. */
static void retire_by_push(void)
{
	struct kng_job *job[3];
	bool early = false;
	int i;

	setup_pool(&pool, CPUS);
	kng_resize_add(&pool, jobs, 3);
	for (i = 0; i < 3; i++)
		job[i] = kng_pool_pop(&pool);
	kng_resize_mark(&pool, 0);
	for (i = 0; i < 3; i++) {
		early |= kng_resize_gone(&pool, 0);
		kng_pool_push(&pool, job[i]);
	}
	tap_ok(!early && kng_resize_gone(&pool, 0) && !atomic_read(&pool.total) &&
	       !kng_pool_idle(&pool), "pushes alone make a chunk go, the last of them");
}

/* A chain is used twice; its jobs are in use until it is pushed. */
static void retire_by_chain(bool going)
{
	struct kng_chain both = KNG_EMPTY_CHAIN(both);
	struct kng_job *job[3];
	int i, idle;

	setup_pool(&pool, CPUS);
	kng_resize_add(&pool, jobs, 3);
	for (i = 0; i < 3; i++)
		job[i] = kng_pool_pop(&pool);
	if (going)
		kng_resize_mark(&pool, 0);
	chain_add(&both, job[0]);
	chain_add(&both, job[1]);
	idle = kng_pool_idle(&pool);
	kng_pool_push_chain(&pool, &both);
	kng_pool_push_chain(&pool, &both);
	chain_add(&both, job[2]);
	kng_pool_push_chain(&pool, &both);
	tap_ok(!idle && kng_resize_gone(&pool, 0) == going &&
	       atomic_read(&pool.total) == (going ? 0 : 3) &&
	       kng_pool_idle(&pool) == (going ? 0 : 3),
	       "two chains, %s", going ? "whose chunk goes with the second" : "which come back");
	if (going)
		return;
	for (i = 0; i < 3; i++)
		job[i] = kng_pool_pop(&pool);
	tap_ok(job[0] == &jobs[2] && job[1] == &jobs[0] && job[2] == &jobs[1] &&
	       !kng_pool_pop(&pool), "the last one first, and each once");
}

/* Of the jobs of a chain some go, and the others come back. */
static void retire_some_by_chain(void)
{
	static const int order[] = { 0, 2, 1, 3 };
	struct kng_chain all = KNG_EMPTY_CHAIN(all);
	int i;

	setup_pool(&pool, CPUS);
	kng_resize_add(&pool, jobs, 2);
	kng_resize_add(&pool, &jobs[2], 2);
	while (kng_pool_pop(&pool))
		;
	kng_resize_mark(&pool, 0);
	for (i = 0; i < 4; i++)
		chain_add(&all, &jobs[order[i]]);
	kng_pool_push_chain(&pool, &all);
	tap_ok(kng_resize_gone(&pool, 0) && atomic_read(&pool.total) == 2 &&
	       kng_pool_idle(&pool) == 2 && kng_pool_pop(&pool) == &jobs[3] &&
	       kng_pool_pop(&pool) == &jobs[2], "a chain of which two go and two come back");
}

/* Pushers. */

static struct llist_head inbox[PUSHERS];
static int stop;

static void *pusher(void *arg)
{
	struct llist_head *in = arg;

	kernel_cpu = 1 + (in - inbox);

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		struct llist_node *node = llist_del_all(in);

		if (!node)
			sched_yield();
		while (node) {
			struct kng_job *job = (void *)((char *)node -
						       offsetof(struct kng_job, node));

			node = node->next;
			job->obj = job;
			kng_pool_push(&pool, job);
		}
	}
	return NULL;
}

/* Returns false if it never goes. */
static bool hand_over(bool mark_first)
{
	struct kng_job *chunk = calloc(HANDED, sizeof(*chunk)), *job;
	u32 left = HANDED;
	time_t end = time(NULL) + 60;

	kng_resize_add(&pool, chunk, HANDED);
	if (mark_first)
		kng_resize_mark(&pool, 0);
	while (left--) {
		job = kng_pool_pop(&pool);
		if (job)
			llist_add(&job->node, &inbox[left % PUSHERS]);
	}
	if (!mark_first)
		kng_resize_mark(&pool, 0);
	while (!kng_resize_gone(&pool, 0)) {
		if (time(NULL) > end)
			return false;
		sweep(HANDED + 1);
		sched_yield();
	}
	/* Only this thread pops: no grace period. */
	job = kng_resize_remove(&pool, 0);
	memset(job, 0xee, HANDED * sizeof(*job));
	free(job);
	return true;
}

static void push_is_not_awaited(void)
{
	pthread_t threads[PUSHERS];
	const int rounds = CALLS / 100;
	bool good = true;
	int i;

	setup_pool(&pool, CPUS);
	for (i = 0; i < PUSHERS; i++)
		if (pthread_create(&threads[i], NULL, pusher, &inbox[i])) {
			printf("Bail out! no threads\n");
			exit(1);
		}
	for (i = 0; good && i < rounds; i++)
		good = hand_over(i & 1);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < PUSHERS; i++)
		pthread_join(threads[i], NULL);
	tap_ok(good && !atomic_read(&pool.total) && !kng_pool_idle(&pool) &&
	       pool.nr_chunks == 1,
	       "%d chunks are freed while pushers go on, all in one place (total %d, idle %d)",
	       rounds, atomic_read(&pool.total), kng_pool_idle(&pool));
}

int main(int argc, char **argv)
{
	static const u32 slots[] = { 0, 1, 77, FULL - 1 };
	unsigned int i;

	tap_start(argc, argv);
	fill();
	for (i = 0; i < ARRAY_SIZE(slots); i++)
		reuse(slots[i]);
	retire_by_push();
	retire_by_chain(false);
	retire_by_chain(true);
	retire_some_by_chain();
	push_is_not_awaited();
	return tap_done();
}
