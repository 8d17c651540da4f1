// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pop may say "empty" only if the pool was empty at some instant of the call.
 *
 * The pool is used so that it can't be empty when anyone calls pop: with N
 * callers that hold at most H jobs each, the one that pops included, and N * H
 * jobs, at least one is idle at every instant of the call. So each NULL is a
 * failure. Plausible pools that get this wrong go through the same
 * functions, which must catch them:
 *
 *   shards	a stack for each CPU, as ours, but pop looks at each of them once. A
 *		job that moves behind the scan is missed.
 *   queue	a ring like objpool's: push reserves a slot, then fills it. A job
 *		that was pushed completely hides behind one that was not.
 */
#include <pthread.h>
#include <sched.h>

static void race_point(void);
#define kng_pool_race_point() race_point()
#define SETUP_CPUS	8
#include "setup.h"
#include "tap.h"

#define MAX_THREADS	6
#define MAX_HELD	3
#define MAX_JOBS	(MAX_THREADS * MAX_HELD)
#define CPUS		2

#ifndef CALLS
#define CALLS		300000
#endif

/* One-shot: run at the next race point of this thread. */
static __thread void (*hook)(void);
static __thread u64 stall_random;	/* 0: never stall */

static void race_point(void)
{
	void (*now)(void) = hook;

	hook = NULL;
	if (now)
		now();
	else if (stall_random && !(rnd(&stall_random) & 31))
		sched_yield();
}

/* @cpu: whose shard; the others ignore it */
struct pool_type {
	const char *name;
	void (*reset)(int nr);
	struct kng_job *(*pop)(int cpu);
	void (*push)(int cpu, struct kng_job *job);
};

static struct kng_job jobs[MAX_JOBS];

/* Ours. */

static struct kng_pool pool;

static void ours_reset(int nr)
{
	setup_pool(&pool, CPUS);
	kng_resize_add(&pool, jobs, nr);
}

static struct kng_job *ours_pop(int cpu)
{
	kernel_cpu = cpu;
	return kng_pool_pop(&pool);
}

static void ours_push(int cpu, struct kng_job *job)
{
	kernel_cpu = cpu;
	kng_pool_push(&pool, job);
}

static const struct pool_type ours = { "ours", ours_reset, ours_pop, ours_push };

/* Shards: our stacks, looked at once each. */

static struct kng_job *shards_pop(int cpu)
{
	struct kng_job *job = NULL;
	s64 seen;
	int i;

	for (i = 0; !job && i < CPUS; i++) {
		job = __kng_stack_pop(&pool, &pool.stack[(cpu + i) % CPUS], &seen);
		race_point();
	}
	return job;
}

static void shards_push(int cpu, struct kng_job *job)
{
	ours_push(cpu, job);
}

static const struct pool_type shards = { "shards", ours_reset, shards_pop, shards_push };

/* A queue in a ring; a slot is published when those before it are. */

#define RING	32	/* a power of two, more than there are jobs */

static struct kng_job *ring[RING];
static u32 ring_head, ring_tail;

static void queue_push(int cpu, struct kng_job *job)
{
	u32 slot = __atomic_fetch_add(&ring_tail, 1, __ATOMIC_SEQ_CST);

	(void)cpu;
	race_point();
	__atomic_store_n(&ring[slot % RING], job, __ATOMIC_RELEASE);
}

static struct kng_job *queue_pop(int cpu)
{
	u32 head = __atomic_load_n(&ring_head, __ATOMIC_ACQUIRE);
	struct kng_job *job;

	(void)cpu;
	do {
		job = __atomic_load_n(&ring[head % RING], __ATOMIC_ACQUIRE);
		/* Not filled yet, though filled ones may follow. */
		if (!job && head == __atomic_load_n(&ring_head, __ATOMIC_ACQUIRE))
			return NULL;
	} while (!job ||
		 !__atomic_compare_exchange_n(&ring_head, &head, head + 1, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE));
	__atomic_store_n(&ring[head % RING], NULL, __ATOMIC_RELEASE);
	return job;
}

static void queue_reset(int nr)
{
	int i;

	memset(ring, 0, sizeof(ring));
	ring_head = 0;
	ring_tail = 0;
	for (i = 0; i < nr; i++)
		queue_push(0, &jobs[i]);
}

static const struct pool_type queue = { "queue", queue_reset, queue_pop, queue_push };

/* Schedules, replayed. Each returns true if a pop said empty by mistake. */

static const struct pool_type *type;
static struct kng_job *other_job;
static bool other_missed, replayed;

/* Another CPU, or an NMI: gives its job back, then takes one that is left. */
static void push_then_pop(void)
{
	type->push(1, other_job);
	other_job = type->pop(0);
	other_missed = !other_job;
	replayed = true;
}

/* An NMI takes one: the pool had two. */
static void nmi_pop(void)
{
	other_job = type->pop(1);
	other_missed = !other_job;
	replayed = true;
}

static void start(const struct pool_type *which, int nr)
{
	type = which;
	other_missed = false;
	replayed = false;
	hook = NULL;
	type->reset(nr);
}

static bool pop_while_jobs_move(const struct pool_type *which)
{
	/* All jobs are on CPU 0's stack. */
	start(which, 2);
	other_job = type->pop(0);
	hook = push_then_pop;
	return !type->pop(1) || other_missed;
}

static bool nmi_in_push(const struct pool_type *which)
{
	struct kng_job *mine;

	start(which, 2);
	mine = type->pop(0);
	other_job = type->pop(0);
	hook = push_then_pop;
	type->push(0, mine);
	return other_missed;
}

static bool nmi_in_pop(const struct pool_type *which)
{
	start(which, 2);
	hook = nmi_pop;
	return !type->pop(0) || other_missed;
}

/* A pop that loses a race on its stack tries again there. It does not go round the others. */
static void test_lost_race(void)
{
	struct kng_job *a, *b, *mine;

	start(&ours, 4);
	/* Stolen: from here on CPU 1 would look at the stack of CPU 0 first. */
	a = ours_pop(1);
	b = ours_pop(1);
	ours_push(1, a);
	ours_push(1, b);
	hook = nmi_pop;
	mine = ours_pop(1);
	tap_ok(replayed && other_job == b && mine == a, "a pop that loses a race tries again there");
}

/* Threads. */

static int nr_threads, max_held, calls, start_flag;
static unsigned long missed, pops;

struct caller {
	pthread_t thread;
	u64 random;
};

static void *call(void *arg)
{
	struct caller *caller = arg;
	struct kng_job *held[MAX_HELD];
	unsigned long my_missed = 0, my_pops = 0;
	int left = calls, nr = 0;

	stall_random = rnd_start(caller->random, 0);
	while (!__atomic_load_n(&start_flag, __ATOMIC_ACQUIRE))
		sched_yield();
	/* A wrong pool is wrong after the first few. */
	while (left-- && my_missed < 10) {
		u64 dice = rnd(&caller->random);
		int cpu = dice & 1; /* threads migrate */

		if (nr && !(dice & 0xe))
			sched_yield();
		if (nr == max_held || (nr && dice & 0x10)) {
			type->push(cpu, held[--nr]);
			continue;
		}
		my_pops++;
		held[nr] = type->pop(cpu);
		if (held[nr])
			nr++;
		else
			my_missed++;
	}
	while (nr)
		type->push(0, held[--nr]);
	stall_random = 0;
	__atomic_fetch_add(&missed, my_missed, __ATOMIC_RELAXED);
	__atomic_fetch_add(&pops, my_pops, __ATOMIC_RELAXED);
	return NULL;
}

/* How often a pop said empty by mistake. */
static unsigned long under_threads(const struct pool_type *which, int threads,
				   int held, int nr_calls, u64 seed)
{
	struct caller callers[MAX_THREADS];
	int i;

	nr_threads = threads;
	max_held = held;
	calls = nr_calls;
	missed = 0;
	pops = 0;
	start_flag = 0;
	start(which, threads * held);
	for (i = 0; i < threads; i++) {
		callers[i].random = rnd_start(seed, i);
		if (pthread_create(&callers[i].thread, NULL, call, &callers[i])) {
			printf("Bail out! no threads\n");
			exit(1);
		}
	}
	__atomic_store_n(&start_flag, 1, __ATOMIC_RELEASE);
	for (i = 0; i < threads; i++)
		pthread_join(callers[i].thread, NULL);
	return missed;
}

static void test_threads(u64 seed)
{
	static const struct {
		int threads, held;
	} cases[] = { { 2, 1 }, { 3, 1 }, { 4, 2 }, { MAX_THREADS, MAX_HELD } };
	static const struct pool_type *const wrong[] = { &shards, &queue };
	unsigned long found;
	unsigned int i, tries;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		found = under_threads(&ours, cases[i].threads, cases[i].held, CALLS,
				      rnd_start(seed, i));
		tap_ok(!found && pops, "%d threads that hold up to %d of %d jobs: %lu pops, %lu said empty",
		       cases[i].threads, cases[i].held,
		       cases[i].threads * cases[i].held, pops, found);
	}
	for (i = 0; i < 2; i++) {
		/* The scheduler has to help: try until it does. */
		found = 0;
		for (tries = 0; !found && tries < 50; tries++)
			found = under_threads(wrong[i], 3, 1, CALLS / 10,
					      rnd_start(seed, 100 + tries));
		tap_ok(found, "the same catches %s: %lu said empty, try %u",
		       wrong[i]->name, found, tries);
	}
}

static void test_schedules(void)
{
	static const struct {
		const char *name;
		bool (*run)(const struct pool_type *which);
		const struct pool_type *wrong;
	} schedules[] = {
		{ "a job moves behind a pop", pop_while_jobs_move, &shards },
		{ "an NMI in a push pushes and pops", nmi_in_push, &queue },
		{ "an NMI in a pop takes the other job", nmi_in_pop, NULL },
	};
	unsigned int i;
	bool found;

	for (i = 0; i < ARRAY_SIZE(schedules); i++) {
		found = schedules[i].run(&ours);
		tap_ok(!found && replayed, "%s: ours finds a job", schedules[i].name);
		if (!schedules[i].wrong)
			continue;
		found = schedules[i].run(schedules[i].wrong);
		tap_ok(found && replayed, "%s: %s does not", schedules[i].name,
		       schedules[i].wrong->name);
	}
}

static void test_truly_empty(void)
{
	struct kng_job *job;
	bool good;

	start(&ours, 1);
	job = kng_pool_pop(&pool);
	good = job && !kng_pool_pop(&pool) && !kng_pool_pop(&pool);
	if (job)
		kng_pool_push(&pool, job);
	tap_ok(good && kng_pool_pop(&pool) == job && !kng_pool_pop(&pool),
	       "an empty pool says empty, and recovers");
}

int main(int argc, char **argv)
{
	u64 seed = tap_start(argc, argv);

	test_truly_empty();
	test_schedules();
	test_lost_race();
	test_threads(seed);
	return tap_done();
}
