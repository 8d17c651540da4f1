// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conservation of jobs under threads: each job has one owner at a time, none
 * gets lost, none appears twice.
 *
 * Threads pop, hold and push, singly and as chains, on CPUs that several of them
 * share, or that they have for themselves; meanwhile a thread adds
 * chunks, or signals make the threads pop where they stand, as an NMI would,
 * and queue the job for the thread as the module's offload does.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>

static void stall(void);
#define kng_pool_race_point() stall()
#include "setup.h"
#include "chain.h"

#define MAX_INDEX	(6 * KNG_CHUNK_JOBS)
#include "owners.h"
#include "tap.h"

#define MAX_THREADS	8
#define MAX_HELD	16

/* In the scenarios with signals no thread ends with less than that. */
#define MIN_NMI_POPS	200
#define MIN_DRAINED	50

#ifndef CALLS
#define CALLS		600000
#endif

struct scenario {
	const char *name;
	u32 jobs;		/* before the threads start */
	u32 add;		/* while they run */
	int threads;
	u32 cpus;
	int calls;		/* per thread */
	bool signals;
};

struct worker {
	pthread_t thread;
	const struct scenario *scenario;
	int id;			/* from 1 */
	u64 random;
	u64 random_nmi;
	struct kng_job *held[MAX_HELD];
	int nr_held;
	struct llist_head pending;
	unsigned long pops, empty, pushes, chains, nmi_pops, nmi_empty, drained;
};

static struct kng_pool pool;
static struct worker workers[MAX_THREADS];
static int running, started;
static __thread struct worker *self;
static __thread u64 stall_random;

/* Now and then let another thread run where it hurts most. */
static void stall(void)
{
	if (self && !(rnd(&stall_random) & 127))
		sched_yield();
}

static void nmi(int signal)
{
	struct worker *worker = self;
	int nr = 1 + rnd(&worker->random_nmi) % 4;
	int who = worker->id | OWNER_NMI;

	(void)signal;
	while (nr--) {
		struct kng_job *job = kng_pool_pop(&pool);

		if (!job) {
			worker->nmi_empty++;
			continue;
		}
		worker->nmi_pops++;
		own(job, who);
		if (rnd(&worker->random_nmi) & 1) {
			llist_add(&job->node, &worker->pending);
		} else {
			disown(job, who);
			kng_pool_push(&pool, job);
		}
	}
}

static void drain(struct worker *worker)
{
	worker->drained += drain_pending(&pool, &worker->pending, worker->id | OWNER_NMI);
}

static void push_one(struct worker *worker)
{
	int i = rnd(&worker->random) % worker->nr_held;
	struct kng_job *job = worker->held[i];

	worker->held[i] = worker->held[--worker->nr_held];
	disown(job, worker->id);
	kng_pool_push(&pool, job);
	worker->pushes++;
}

static void push_all(struct worker *worker)
{
	int i, nr = worker->nr_held;

	for (i = 0; i < nr; i++)
		disown(worker->held[i], worker->id);
	push_held(&pool, worker->held, nr);
	worker->nr_held = 0;
	worker->chains++;
}

static bool too_few_signals(const struct worker *worker)
{
	return worker->scenario->signals &&
	       (worker->nmi_pops < MIN_NMI_POPS || worker->drained < MIN_DRAINED);
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	int calls = worker->scenario->calls;

	stall_random = rnd_start(worker->random, 2);
	self = worker;
	kernel_cpu = worker->id % worker->scenario->cpus;
	__atomic_fetch_add(&started, 1, __ATOMIC_RELAXED);
	while (__atomic_load_n(&started, __ATOMIC_RELAXED) <= worker->scenario->threads)
		sched_yield();

	while (calls-- > 0 || too_few_signals(worker)) {
		u64 dice = rnd(&worker->random) % 16;
		struct kng_job *job;

		/* Threads migrate, but not within a pop. */
		if (!(rnd(&worker->random) & 31))
			kernel_cpu = rnd(&worker->random) % worker->scenario->cpus;

		if (dice < 8 && worker->nr_held < MAX_HELD) {
			job = kng_pool_pop(&pool);
			if (!job) {
				worker->empty++;
				continue;
			}
			worker->pops++;
			own(job, worker->id);
			worker->held[worker->nr_held++] = job;
		} else if (dice < 15 && worker->nr_held) {
			push_one(worker);
		} else if (worker->nr_held) {
			push_all(worker);
		}
		drain(worker);
	}
	while (worker->nr_held)
		push_one(worker);
	return NULL;
}

/* Stays until the last signal was sent: pthread_kill() needs a live thread. */
static void *work_with_signals(void *arg)
{
	sigset_t set;

	self = arg;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	work(arg);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	drain(arg);
	__atomic_fetch_sub(&running, 1, __ATOMIC_RELAXED);
	while (__atomic_load_n(&running, __ATOMIC_RELAXED) >= 0)
		sched_yield();
	return NULL;
}

static u32 chunk_size(u32 jobs)
{
	return jobs < KNG_CHUNK_JOBS ? jobs : KNG_CHUNK_JOBS;
}

static void add_jobs(u32 jobs)
{
	while (jobs) {
		u32 nr = chunk_size(jobs);

		/* Of exactly this size: ASan sees any access past it. */
		kng_resize_add(&pool, calloc(nr, sizeof(struct kng_job)), nr);
		jobs -= nr;
		sched_yield();
	}
}

static void drain_pool(const struct scenario *scenario)
{
	u32 total = scenario->jobs + scenario->add;
	char *seen = calloc(total, 1);
	u32 nr = 0, twice = 0;
	struct kng_job *job;

	tap_ok((u32)atomic_read(&pool.total) == total &&
	       (u32)kng_pool_idle(&pool) == total,
	       "%s: all %u jobs are idle again (total %d, idle %d)", scenario->name,
	       total, atomic_read(&pool.total), kng_pool_idle(&pool));
	while (nr <= total) {
		job = kng_pool_pop(&pool);
		if (!job)
			break;
		if (job->index >= total || seen[job->index]++)
			twice++;
		nr++;
	}
	tap_ok(nr == total && !twice && !kng_pool_idle(&pool),
	       "%s: drained, each job comes out once (%u jobs, %u twice, idle %d)",
	       scenario->name, nr, twice, kng_pool_idle(&pool));
	free(seen);
}

static void run(const struct scenario *scenario, u64 seed)
{
	unsigned long pops = 0, empty = 0, pushes = 0, chains = 0, nmis = 0, drained = 0;
	int i;

	setup_pool(&pool, scenario->cpus);
	memset(workers, 0, sizeof(workers));
	memset(owner, 0, sizeof(owner));
	wrong = 0;
	started = 0;
	running = scenario->threads;
	add_jobs(scenario->jobs);

	for (i = 0; i < scenario->threads; i++) {
		workers[i].scenario = scenario;
		workers[i].id = i + 1;
		workers[i].random = rnd_start(seed, 2 * i);
		workers[i].random_nmi = rnd_start(seed, 2 * i + 1);
		if (pthread_create(&workers[i].thread, NULL,
				   scenario->signals ? work_with_signals : work,
				   &workers[i])) {
			printf("Bail out! no threads\n");
			exit(1);
		}
	}
	while (__atomic_load_n(&started, __ATOMIC_RELAXED) < scenario->threads)
		sched_yield();
	__atomic_fetch_add(&started, 1, __ATOMIC_RELAXED);

	add_jobs(scenario->add);
	if (scenario->signals) {
		while (__atomic_load_n(&running, __ATOMIC_RELAXED) > 0) {
			for (i = 0; i < scenario->threads; i++)
				pthread_kill(workers[i].thread, SIGUSR1);
			usleep(20);
		}
		__atomic_store_n(&running, -1, __ATOMIC_RELAXED);
	}
	for (i = 0; i < scenario->threads; i++)
		pthread_join(workers[i].thread, NULL);

	for (i = 0; i < scenario->threads; i++) {
		pops += workers[i].pops;
		empty += workers[i].empty;
		pushes += workers[i].pushes;
		chains += workers[i].chains;
		nmis += workers[i].nmi_pops;
		drained += workers[i].drained;
	}
	tap_diag("%s: %lu pops, %lu empty, %lu pushes, %lu chains, %lu pops in signals, %lu drained",
		 scenario->name, pops, empty, pushes, chains, nmis, drained);
	tap_ok(!wrong && pops && pushes && (!scenario->signals || (nmis && drained)),
	       "%s: each job has one owner at a time (%d violations)",
	       scenario->name, wrong);
	drain_pool(scenario);
	while (pool.nr_chunks)
		free(pool.chunk[--pool.nr_chunks].jobs);
}

int main(int argc, char **argv)
{
	static const struct scenario scenarios[] = {
		{ .name = "one job", .jobs = 1, .threads = 4, .cpus = 4, .calls = CALLS },
		{ .name = "fewer jobs than threads", .jobs = 3, .threads = 8, .cpus = 2,
		  .calls = CALLS / 2 },
		{ .name = "scarce", .jobs = 24, .threads = 4, .cpus = 1, .calls = CALLS },
		{ .name = "plenty", .jobs = 300, .threads = 4, .cpus = 4, .calls = CALLS },
		{ .name = "chunks added", .jobs = KNG_CHUNK_JOBS, .add = 4 * KNG_CHUNK_JOBS + 77,
		  .threads = 4, .cpus = 3, .calls = CALLS / 2 },
		{ .name = "chunks added to nothing", .add = KNG_CHUNK_JOBS + 1,
		  .threads = 3, .cpus = 3, .calls = CALLS / 2 },
		{ .name = "signals", .jobs = 24, .threads = 3, .cpus = 2,
		  .calls = CALLS, .signals = true },
		{ .name = "signals, one job", .jobs = 1, .threads = 2, .cpus = 3, .calls = CALLS,
		  .signals = true },
	};
	u64 seed = tap_start(argc, argv);
	struct sigaction action;
	sigset_t set;
	unsigned int i;

	/* Signals go to the workers only. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	memset(&action, 0, sizeof(action));
	action.sa_handler = nmi;
	sigaction(SIGUSR1, &action, NULL);

	for (i = 0; i < ARRAY_SIZE(scenarios); i++)
		run(&scenarios[i], rnd_start(seed, i));
	return tap_done();
}
