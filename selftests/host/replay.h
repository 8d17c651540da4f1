/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Schedules, step by step: who pops or pushes stalls in the header's own race
 * point, between the load and the exchange, and a thief gets to run there.
 *
 * The including file has defined MAX_JOBS.
 */
#ifndef SELFTESTS_HOST_REPLAY_H
#define SELFTESTS_HOST_REPLAY_H

static void race_point(void);
#define kng_pool_race_point() race_point()
#include "setup.h"
#include "tap.h"

/* One-shot: run at the next race point of this thread. */
static __thread void (*hook)(void);

static void race_point(void)
{
	void (*now)(void) = hook;

	hook = NULL;
	if (now)
		now();
}

static struct kng_job jobs[MAX_JOBS];

struct stack {
	const char *name;
	void (*reset)(int nr);	/* jobs[0] is on top, then jobs[1], ... */
	struct kng_job *(*pop)(void);
	void (*push)(struct kng_job *job);
};

/* Ours. */

static struct kng_pool pool;
static u32 ours_cpus = 1;

static void ours_reset(int nr)
{
	setup_pool(&pool, ours_cpus);
	kng_resize_add(&pool, jobs, nr);
}

static struct kng_job *ours_pop(void)
{
	return kng_pool_pop(&pool);
}

static void ours_push(struct kng_job *job)
{
	kng_pool_push(&pool, job);
}

static const struct stack ours = { "ours", ours_reset, ours_pop, ours_push };

/* Who holds what, and the verdict. */

static const struct stack *stack;
static int nr_jobs;
static bool in_use[MAX_JOBS];
static bool corrupt, replayed;	/* replayed: the thief has come and gone */
static const char *why;

static void broken(const char *what)
{
	if (!corrupt)
		why = what;
	corrupt = true;
}

static struct kng_job *pop(void)
{
	struct kng_job *job = stack->pop();

	if (!job) {
		broken("a job is lost: empty too early");
		return NULL;
	}
	if (in_use[job - jobs])
		broken("a job is taken that is in use");
	in_use[job - jobs] = true;
	return job;
}

static void push(struct kng_job *job)
{
	if (!job)
		return;
	in_use[job - jobs] = false;
	stack->push(job);
}

static void start(const struct stack *which, int nr)
{
	stack = which;
	nr_jobs = nr;
	memset(in_use, 0, sizeof(in_use));
	corrupt = false;
	replayed = false;
	why = "intact";
	hook = NULL;
	stack->reset(nr);
}

/* Drain: what is not in use must come out, once each, and nothing else. */
static bool intact(void)
{
	struct kng_job *job;
	int i;

	for (i = 0; !corrupt && i <= nr_jobs; i++) {
		job = stack->pop();
		if (!job)
			break;
		if (in_use[job - jobs])
			broken("a job is in the stack and in use");
		in_use[job - jobs] = true;
	}
	for (i = 0; i < nr_jobs; i++)
		if (!in_use[i])
			broken("a job is lost: neither in the stack nor in use");
	if (stack == &ours && kng_pool_idle(&pool))
		broken("idle is wrong");
	return !corrupt;
}

/* Thieves. */

static void (*thief)(void);

static void as_nmi(void)
{
	thief();
	replayed = true;
}

static void steal_aba(void)
{
	struct kng_job *a = pop();

	pop();
	push(a);
}

#endif /* SELFTESTS_HOST_REPLAY_H */
