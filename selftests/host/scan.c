// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the pool costs on many CPUs, in looks at heads and in exchanges that fail, which
 * are the same on every machine: up to 256 simulated CPUs.
 *
 * CPUs that are all in a call at once: each one stalls before its exchange until the
 * next one has come and gone.
 */
#include <stdint.h>

static void race_point(void);
static int64_t look(const void *word, int64_t value);
#define kng_pool_race_point() race_point()
#define kernel_weak_load(word, value)		look(word, value)
#define kernel_weak_store(word, value, full)	((void)(word), (void)(value), (void)(full))
#define kernel_weak_newest(word)		((void)(word))
#define kernel_weak_rmb()			((void)0)
#define kernel_weak_mb()			((void)0)
#define SETUP_CPUS	256
#include "setup.h"
#include "tap.h"

static struct kng_pool pool;
static struct kng_job jobs[2 * KNG_CHUNK_JOBS] __aligned(64);
static unsigned long exchanges, heads, loads;
static void (*hook)(void);	/* run at each race point */
static void (*look_hook)(void);	/* run once, at so many looks at a head */
static unsigned long look_at;

static void race_point(void)
{
	exchanges++;
	if (hook)
		hook();
}

static int64_t look(const void *word, int64_t value)
{
	const char *first = (const char *)setup_stacks;
	const char *at = word;
	void (*now)(void) = look_hook;

	loads++;
	if (at < first || at >= first + sizeof(setup_stacks) ||
	    (at - first) % sizeof(setup_stacks[0]) != offsetof(struct kng_stack, head))
		return value;
	heads++;
	if (heads != look_at || !now)
		return value;
	look_hook = NULL;
	now();
	return value;
}

static void start(u32 cpus, u32 nr)
{
	memset(jobs, 0, sizeof(jobs));
	setup_pool(&pool, cpus);
	kernel_cpu = 0;
	hook = NULL;
	look_hook = NULL;
	if (nr && !kng_resize_add(&pool, jobs, nr))
		printf("Bail out! the chunk does not fit\n");
	exchanges = 0;
	heads = 0;
	loads = 0;
}

/* All CPUs in a call. */

static struct kng_job *held[SETUP_CPUS];
static bool pushing;

static void call(u32 cpu)
{
	kernel_cpu = cpu;
	if (pushing)
		kng_pool_push(&pool, held[cpu]);
	else
		held[cpu] = kng_pool_pop(&pool);
}

static u32 next_cpu;

static void next_one(void)
{
	if (next_cpu < pool.nr_cpus)
		call(next_cpu++);
}

static void all_at_once(u32 cpus)
{
	unsigned long pairs = 0, wrong = 0;
	u32 i, round;

	start(cpus, KNG_CHUNK_JOBS);
	hook = next_one;
	for (round = 0; round < 8; round++) {
		pushing = round & 1;
		next_cpu = 1;
		call(0);
		for (i = 0; i < cpus; i++)
			wrong += !held[i];
		pairs += pushing ? cpus : 0;
	}
	tap_ok(exchanges == 2 * pairs && !wrong,
	       "%u CPUs in a pop, then in a push at once: %lu pairs, %lu exchanges failed",
	       cpus, pairs, exchanges - 2 * pairs);
}

/* An empty pool. */

static struct kng_job *last;

/* Another CPU pushes the last job where the pop has looked already, and takes it. */
static void disturb(void)
{
	kernel_cpu = 1;
	kng_pool_push(&pool, last);
	last = kng_pool_pop(&pool);
	kernel_cpu = 0;
}

static void empty_pool(u32 cpus)
{
	unsigned long most = 3 + 2UL * cpus, quiet;
	bool wrong;

	start(cpus, 0);
	wrong = kng_pool_pop(&pool);
	quiet = heads;
	tap_ok(!wrong && quiet == most,
	       "%u CPUs, an empty pool: a pop looks at %lu heads", cpus, quiet);
	if (cpus < 2)
		return;

	/* Each job that another CPU takes costs a round more. */
	start(cpus, 1);
	last = kng_pool_pop(&pool);
	heads = 0;
	look_at = cpus + 3;	/* in the second round */
	look_hook = disturb;
	wrong = kng_pool_pop(&pool);
	tap_ok(!wrong && last && heads == most + cpus + 1 + 2,
	       "%u CPUs, another one pushes and pops meanwhile: it looks at %lu", cpus, heads);
}

/* One CPU takes all jobs. */
static void burst(u32 cpus)
{
	u32 nr = 0;

	start(cpus, KNG_CHUNK_JOBS);
	while (kng_pool_pop(&pool))
		nr++;
	tap_ok(nr == KNG_CHUNK_JOBS && heads <= 2UL * nr + 4 * (cpus + 1),
	       "%u CPUs, one of them takes all %u jobs: %lu looks at heads", cpus, nr, heads);
}

/* Which CPU's stack each job is in. */
static void deal(u32 cpus, u32 nr)
{
	u32 least = nr, most = 0, split = 0, found = 0, i, index;
	static u32 at[KNG_CHUNK_JOBS];

	start(cpus, nr);
	for (i = 0; i < cpus; i++) {
		u32 have = 0;

		for (index = pool.stack[i].head.counter & KNG_INDEX_MASK; index != KNG_INDEX_NONE;
		     index = jobs[index].next) {
			at[index] = i;
			have++;
		}
		found += have;
		least = have < least ? have : least;
		most = have > most ? have : most;
	}
	for (i = 1; i < nr; i++)
		split += i % KNG_DEAL_JOBS && at[i] != at[i - 1];
	tap_ok(found == nr && !split && most <= nr / cpus + KNG_DEAL_JOBS,
	       "%u jobs for %u CPUs: %u to %u each, no cache line for two", nr, cpus, least, most);
}

/* Chunks so small that not all CPUs have a part of each. */
static void deal_in_turn(void)
{
	u32 i, without = 0;

	start(4, 1);
	for (i = 1; i < 4; i++)
		kng_resize_add(&pool, &jobs[i], 1);
	for (i = 0; i < 4; i++)
		without += __kng_stack_idle(&pool.stack[i]) != 1;
	tap_ok(!without, "four chunks of one job for four CPUs: one each");
}

static bool is_low(u32 mark)
{
	kng_pool_set_low(&pool, mark);
	loads = 0;
	return kng_pool_low(&pool);
}

static void low(u32 cpus)
{
	u32 each = KNG_CHUNK_JOBS / cpus;
	bool good;

	start(cpus, KNG_CHUNK_JOBS);
	good = !is_low(KNG_CHUNK_JOBS) && loads == 2;
	good &= is_low(KNG_CHUNK_JOBS + 1);
	while (each--)
		kng_pool_pop(&pool);
	good &= !is_low(KNG_CHUNK_JOBS - KNG_CHUNK_JOBS / cpus) && loads > cpus;
	good &= is_low(KNG_CHUNK_JOBS);
	tap_ok(good,
	       "%u CPUs: low looks at its own stack, and at all once that has not its share", cpus);
}

int main(int argc, char **argv)
{
	static const u32 cpus[] = { 1, 2, 64, 256 };
	unsigned int i;

	tap_start(argc, argv);
	for (i = 0; i < ARRAY_SIZE(cpus); i++) {
		all_at_once(cpus[i]);
		empty_pool(cpus[i]);
		burst(cpus[i]);
		deal(cpus[i], KNG_CHUNK_JOBS);
		if (cpus[i] > 1)
			low(cpus[i]);
	}
	deal(3, 100);
	deal(64, 100);
	deal_in_turn();
	return tap_done();
}
