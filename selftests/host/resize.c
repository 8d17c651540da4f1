// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool grows and shrinks under threads and signals.
 *
 * Threads pop, hold and push; signals make them, and the sweeper too, pop where
 * they stand, as an NMI would. Meanwhile the main thread adds chunks, marks
 * chunks, sweeps in small steps, waits for a grace period and frees what is gone,
 * so that nobody can touch it again unnoticed: ASan and TSan watch free(); without
 * them the pages are taken away.
 *
 * Where the first chunk, which stays, has more jobs than all others together may
 * own, and one for the sweeper, each pop that says empty is a failure.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>

static void stall(void);
#define kernel_access() stall()
#include "setup.h"
#include <reclaim.h>

#include "chain.h"

#define MAX_EXTRA	6	/* chunks that come and go */
#define MAX_SLOTS	(1 + MAX_EXTRA)
#define MAX_INDEX	(MAX_SLOTS * KNG_CHUNK_JOBS)
#include "owners.h"
#include "tap.h"

#define MAX_THREADS	4
#define MAX_HELD	8
#define MAX_PENDING	3	/* that a thread's signals took, and nobody gave back */
#define SWEEPER		MAX_THREADS
#define MIN_NMI_POPS	100

#ifndef CALLS
#define CALLS		300000
#endif

struct scenario {
	const char *name;
	int threads, held;
	u32 cpus;
	u32 first;		/* jobs that stay; 0: so many that it is never empty */
	u32 most;		/* jobs in an added chunk */
	int look;		/* jobs in a step of the sweep */
	int rounds;
};

struct worker {
	pthread_t thread;
	int id;			/* from 0; SWEEPER is the main thread */
	u64 random, random_nmi;
	struct kng_job *held[MAX_HELD];
	int nr_held;
	struct llist_head pending;
	int nr_pending;
	unsigned long pops, empty, nmi_pops, nmi_empty;
};

static struct kng_pool pool;
static struct worker workers[MAX_THREADS + 1];
static const struct scenario *scenario;
static int started, stop;
static u32 first_jobs;
static unsigned long added, freed, most_slots;
static struct kng_job *memory[MAX_SLOTS];
static __thread struct worker *self;
static __thread u64 stall_random;

/* Now and then, before any access, let another thread run. */
static void stall(void)
{
	if (self && !(rnd(&stall_random) & 255))
		sched_yield();
}

static void nmi(int signal)
{
	struct kernel_fence interrupted = kernel_nmi_enter();
	struct worker *worker = self;
	int who = (worker->id + 1) | OWNER_NMI;

	(void)signal;
	while (__atomic_load_n(&worker->nr_pending, __ATOMIC_RELAXED) < MAX_PENDING) {
		struct kng_job *job = kng_pool_pop(&pool);

		if (!job) {
			worker->nmi_empty++;
			break;
		}
		own(job, who);
		__atomic_fetch_add(&worker->nmi_pops, 1, __ATOMIC_RELAXED);
		if (rnd(&worker->random_nmi) & 1) {
			disown(job, who);
			kng_pool_push(&pool, job);
			break;
		}
		__atomic_fetch_add(&worker->nr_pending, 1, __ATOMIC_RELAXED);
		llist_add(&job->node, &worker->pending);
	}
	kernel_nmi_exit(interrupted);
}

static void drain(struct worker *worker)
{
	int nr = drain_pending(&pool, &worker->pending, (worker->id + 1) | OWNER_NMI);

	__atomic_fetch_sub(&worker->nr_pending, nr, __ATOMIC_RELAXED);
}

/* Threads. */

static void push_one(struct worker *worker)
{
	int i = rnd(&worker->random) % worker->nr_held;
	struct kng_job *job = worker->held[i];

	worker->held[i] = worker->held[--worker->nr_held];
	disown(job, worker->id + 1);
	kng_pool_push(&pool, job);
}

static void push_all(struct worker *worker)
{
	int i, nr = worker->nr_held;

	for (i = 0; i < nr; i++)
		disown(worker->held[i], worker->id + 1);
	push_held(&pool, worker->held, nr);
	worker->nr_held = 0;
}

static void block(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(how, &set, NULL);
}

static void work(struct worker *worker)
{
	u64 dice = rnd(&worker->random);
	struct kng_job *job;

	/* Threads migrate, but not within a pop. */
	if (!(dice >> 16 & 31))
		kernel_cpu = (dice >> 21) % scenario->cpus;

	if ((dice & 7) < 4 && worker->nr_held < scenario->held) {
		job = kng_pool_pop(&pool);
		if (job) {
			worker->pops++;
			own(job, worker->id + 1);
			worker->held[worker->nr_held++] = job;
		} else {
			worker->empty++;
		}
	} else if (worker->nr_held) {
		if ((dice & 7) == 7)
			push_all(worker);
		else
			push_one(worker);
	}
	drain(worker);
	grace_outside(worker->id);
	/* The sweeper has NMIs, too. */
	if (!(dice & 0xfff0))
		pthread_kill(workers[SWEEPER].thread, SIGUSR1);
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;

	stall_random = rnd_start(worker->random, 2);
	self = worker;
	kernel_cpu = worker->id % scenario->cpus;
	block(SIG_UNBLOCK);
	__atomic_fetch_add(&started, 1, __ATOMIC_RELAXED);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		work(worker);
	block(SIG_BLOCK);
	drain(worker);
	while (worker->nr_held)
		push_one(worker);
	return NULL;
}

static void send_nmis(void)
{
	int i;

	/* Where the stacks are broken the threads, and grace periods, may never end. */
	if (__atomic_load_n(&wrong, __ATOMIC_RELAXED)) {
		tap_ok(false, "%s: %d violations", scenario->name, wrong);
		exit(1);
	}
	for (i = 0; i < scenario->threads; i++)
		pthread_kill(workers[i].thread, SIGUSR1);
	drain(&workers[SWEEPER]);
	sched_yield();
}

/* The main thread. */

static u32 add(u32 nr)
{
	struct kng_job *jobs = get_memory(nr);
	u32 slot;

	if (!kng_resize_add(&pool, jobs, nr))
		complain("add says that the table is full", 0);
	for (slot = 0; slot < MAX_SLOTS && pool.chunk[slot].jobs != jobs; slot++)
		;
	if (slot == MAX_SLOTS) {
		tap_ok(false, "%s: no more than %d chunks, yet more places", scenario->name,
		       MAX_SLOTS);
		exit(1);
	}
	if (memory[slot])
		complain("the place of a chunk is used twice", slot << KNG_CHUNK_SHIFT);
	if (pool.chunk[slot].going)
		complain("a new chunk is going", slot << KNG_CHUNK_SHIFT);
	memory[slot] = jobs;
	added++;
	if (most_slots < pool.nr_chunks)
		most_slots = pool.nr_chunks;
	return slot;
}

/* In small steps; now and then not to the end, unless @all. */
static void sweep_stack(u32 cpu, bool back, bool all)
{
	struct worker *worker = &workers[SWEEPER];
	int looks = atomic_read(&pool.total);

	while (looks > 0 && kng_resize_sweep(&pool, cpu, back, scenario->look)) {
		looks -= scenario->look;
		if (all)
			continue;
		if (!(rnd(&worker->random) & 7))
			send_nmis();
		if (!(rnd(&worker->random) & 127))
			return;
	}
}

static void sweep(bool all)
{
	u32 cpu;

	for (cpu = 0; cpu < scenario->cpus; cpu++) {
		sweep_stack(cpu, false, all);
		sweep_stack(cpu, true, all);
	}
}

static void reclaim(void)
{
	u32 gone[MAX_SLOTS], slot, i, nr = 0;

	for (slot = 1; slot < pool.nr_chunks; slot++)
		if (kng_resize_gone(&pool, slot))
			gone[nr++] = slot;
	if (!nr)
		return;
	grace_wait(send_nmis);
	while (nr--) {
		slot = gone[nr];
		for (i = 0; i < pool.chunk[slot].nr; i++)
			if (__atomic_load_n(&owner[(slot << KNG_CHUNK_SHIFT) + i],
					    __ATOMIC_RELAXED) != NOBODY)
				complain("a chunk is gone, but a job of it is in use",
					 (slot << KNG_CHUNK_SHIFT) + i);
		if (kng_resize_remove(&pool, slot) != memory[slot])
			complain("other memory comes out than went in", slot);
		put_memory(memory[slot], pool.chunk[slot].nr);
		memory[slot] = NULL;
		freed++;
	}
}

static void round_of_resize(void)
{
	struct worker *worker = &workers[SWEEPER];
	u32 slot = 1 + rnd(&worker->random) % MAX_EXTRA;

	if (!memory[slot])
		add(1 + rnd(&worker->random) % scenario->most);
	else if (!pool.chunk[slot].going)
		kng_resize_mark(&pool, slot);
	sweep(false);
	reclaim();
	if ((u32)atomic_read(&pool.total) < first_jobs)
		complain("total says that jobs are retired that should stay", 0);
	send_nmis();
}

static bool too_few_signals(void)
{
	int i;

	for (i = 0; i < scenario->threads; i++)
		if (__atomic_load_n(&workers[i].nmi_pops, __ATOMIC_RELAXED) < MIN_NMI_POPS)
			return true;
	return false;
}

/* Nobody runs. What is left must be where it belongs; all that is marked goes. */
static void settle(void)
{
	int there = 0, nr = 0;
	u32 slot;

	for (slot = 0; slot < pool.nr_chunks; slot++)
		if (memory[slot])
			there += pool.chunk[slot].nr - atomic_read(&pool.chunk[slot].retired);
	tap_ok(atomic_read(&pool.total) == there && kng_pool_idle(&pool) == there,
	       "%s: all %d jobs are idle again (total %d, idle %d)", scenario->name,
	       there, atomic_read(&pool.total), kng_pool_idle(&pool));

	for (slot = 1; slot < pool.nr_chunks; slot++)
		if (memory[slot])
			kng_resize_mark(&pool, slot);
	sweep(true);
	reclaim();
	tap_ok(freed == added - 1 && (u32)atomic_read(&pool.total) == first_jobs,
	       "%s: all that was marked is freed (%lu of %lu chunks, total %d of %u)",
	       scenario->name, freed, added - 1, atomic_read(&pool.total), first_jobs);
	tap_ok(most_slots <= MAX_SLOTS && added > 2 * MAX_SLOTS,
	       "%s: %lu chunks have come and gone in %lu places", scenario->name,
	       added - 1, most_slots - 1);

	while (nr <= (int)first_jobs) {
		struct kng_job *job = kng_pool_pop(&pool);

		if (!job)
			break;
		own(job, 1);
		nr++;
	}
	tap_ok(nr == (int)first_jobs && !kng_pool_idle(&pool) && !wrong,
	       "%s: drained, each job that stays comes out once (%d jobs, idle %d)",
	       scenario->name, nr, kng_pool_idle(&pool));
}

static void run(u64 seed)
{
	unsigned long pops = 0, empty = 0, nmis = 0;
	int i, rounds = scenario->rounds;

	setup_pool(&pool, scenario->cpus);
	memset(workers, 0, sizeof(workers));
	memset(owner, 0, sizeof(owner));
	wrong = 0;
	started = 0;
	stop = 0;
	added = 0;
	freed = 0;
	most_slots = 0;
	/* What all others may own, one for the sweeper's hand, and one. */
	first_jobs = scenario->threads * (scenario->held + MAX_PENDING) + MAX_PENDING + 1;
	if (scenario->first)
		first_jobs = scenario->first;
	add(first_jobs);

	for (i = 0; i <= SWEEPER; i++) {
		workers[i].id = i;
		workers[i].random = rnd_start(seed, 2 * i);
		workers[i].random_nmi = rnd_start(seed, 2 * i + 1);
	}
	workers[SWEEPER].thread = pthread_self();
	stall_random = rnd_start(seed, 2 * i);
	self = &workers[SWEEPER];
	grace_threads = scenario->threads;
	for (i = 0; i < scenario->threads; i++)
		if (pthread_create(&workers[i].thread, NULL, worker_main, &workers[i])) {
			printf("Bail out! no threads\n");
			exit(1);
		}
	while (__atomic_load_n(&started, __ATOMIC_RELAXED) < scenario->threads)
		sched_yield();

	block(SIG_UNBLOCK);
	while (rounds-- > 0 || too_few_signals())
		round_of_resize();
	block(SIG_BLOCK);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < scenario->threads; i++)
		pthread_join(workers[i].thread, NULL);
	grace_threads = 0;
	drain(&workers[SWEEPER]);

	for (i = 0; i <= SWEEPER; i++) {
		pops += workers[i].pops;
		empty += workers[i].empty + workers[i].nmi_empty;
		nmis += workers[i].nmi_pops;
	}
	tap_ok(!wrong && pops && nmis, "%s: each job has one owner at a time (%lu pops, %lu in signals, %d violations)",
	       scenario->name, pops, nmis, wrong);
	if (!scenario->first)
		tap_ok(!empty, "%s: no pop said empty (%lu did)", scenario->name, empty);
	settle();
	put_memory(memory[0], first_jobs);
	memory[0] = NULL;
}

int main(int argc, char **argv)
{
	static const struct scenario scenarios[] = {
		{ "never empty", .threads = 3, .cpus = 3, .held = 4, .most = 60, .look = 3,
		  .rounds = CALLS / 200 },
		{ "never empty, one job a step", .threads = 2, .cpus = 2,
		  .held = 1, .most = 3, .look = 1,
		  .rounds = CALLS / 100 },
		{ "scarce", .threads = 3, .cpus = 2, .held = 8, .first = 2, .most = 8, .look = 2,
		  .rounds = CALLS / 100 },
		{ "one job stays", .threads = 2, .cpus = 2,
		  .held = 2, .first = 1, .most = 1, .look = 1,
		  .rounds = CALLS / 100 },
		{ "large chunks", .threads = 3, .cpus = 4,
		  .held = 8, .first = 50, .most = KNG_CHUNK_JOBS,
		  .look = 64, .rounds = CALLS / 1000 },
	};
	u64 seed = tap_start(argc, argv);
	struct sigaction action;
	unsigned int i;

	block(SIG_BLOCK);
	memset(&action, 0, sizeof(action));
	action.sa_handler = nmi;
	sigaction(SIGUSR1, &action, NULL);
	for (i = 0; i < ARRAY_SIZE(scenarios); i++) {
		scenario = &scenarios[i];
		run(rnd_start(seed, i));
	}
	return tap_done();
}
