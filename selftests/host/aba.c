// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ABA schedule that review found in the original patch, step by step:
 *
 *	victim			thief
 *	pop: loads A, and
 *	A's successor B
 *	  (stalls)		pop A, pop B, push A
 *	compares: A is on
 *	top; installs B
 *
 * B is now on top and in use. The thief is an NMI in the stall, or another
 * thread. A naive stack, which is what llist_del_first() is with more than one
 * consumer, must break, or the schedule is not what it says.
 */
#include <pthread.h>

#define MAX_DEPTH	64
#define MAX_JOBS	(MAX_DEPTH + 8)
#include "replay.h"

#include "chain.h"

/* The naive one. */

static struct llist_head naive_head;

static void naive_push(struct kng_job *job)
{
	struct llist_node *first = READ_ONCE(naive_head.first);

	do {
		WRITE_ONCE(job->node.next, first);
		race_point();
	} while (!__atomic_compare_exchange_n(&naive_head.first, &first, &job->node, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE));
}

static struct kng_job *naive_pop(void)
{
	struct llist_node *first = __atomic_load_n(&naive_head.first, __ATOMIC_ACQUIRE);
	struct llist_node *next;

	do {
		if (!first)
			return NULL;
		next = READ_ONCE(first->next);
		race_point();
	} while (!__atomic_compare_exchange_n(&naive_head.first, &first, next, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE));
	return (void *)((char *)first - offsetof(struct kng_job, node));
}

static void naive_reset(int nr)
{
	naive_head.first = NULL;
	while (nr--)
		naive_push(&jobs[nr]);
}

static const struct stack naive = { "naive", naive_reset, naive_pop, naive_push };

/* Thieves. Each may hold one job, `spare', from before. */

static struct kng_job *spare;

static void steal_aba_twice(void)
{
	steal_aba();
	steal_aba();
}

/* A comes back on top of another successor: naive loses the spare job. */
static void steal_insert(void)
{
	struct kng_job *a = pop();

	push(spare);
	push(a);
}

/* The same by a chain: A -> spare. */
static void steal_insert_chain(void)
{
	struct kng_job *a = pop();

	if (stack != &ours) {
		push(spare);
		push(a);
		return;
	}
	in_use[a - jobs] = false;
	in_use[spare - jobs] = false;
	WRITE_ONCE(a->next, spare->index);
	push_chain(&pool, a, spare, 2);
}

/* All out, all back in the order A, C, B. */
static void steal_reorder(void)
{
	struct kng_job *a = pop(), *b = pop(), *c = pop();

	push(b);
	push(c);
	push(a);
}

/* No ABA: the head changes and stays changed. */

static void steal_pop(void)
{
	pop();
}

static void steal_push(void)
{
	push(spare);
}

/* Where the thief runs. */

static void *thief_thread(void *unused)
{
	(void)unused;
	thief();
	return NULL;
}

/* On another thread, from start to end, while this one stalls. */
static void as_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thief_thread, NULL)) {
		printf("Bail out! no threads\n");
		exit(1);
	}
	pthread_join(thread, NULL);
	replayed = true;
}

/* On another CPU: takes jobs from this one's stack, pushes on its own. */
static void as_cpu(void)
{
	kernel_cpu = 1;
	as_nmi();
	kernel_cpu = 0;
}

/* NMI in NMI: each pops, is interrupted there, and keeps what it got. */
static int depth_left, depth_stalled;

static void as_nested_nmi(void)
{
	if (--depth_left) {
		depth_stalled++;
		hook = as_nested_nmi;
		pop();
	} else {
		as_nmi();
	}
}

static bool replay_pop(const struct stack *which, void (*steal)(void),
		       void (*where)(void))
{
	start(which, 8);
	spare = pop();
	thief = steal;
	hook = where;
	pop();
	return intact();
}

static bool replay_push(const struct stack *which, void (*steal)(void),
			void (*where)(void))
{
	struct kng_job *job;

	start(which, 9);
	spare = pop();
	job = pop();
	thief = steal;
	hook = where;
	push(job);
	return intact();
}

static void test_schedules(void)
{
	static const struct {
		const char *name;
		void (*steal)(void);
		bool aba;
	} thieves[] = {
		{ "pop A, pop B, push A", steal_aba, true },
		{ "pop A, pop B, push A, and again", steal_aba_twice, true },
		{ "pop A, push X, push A", steal_insert, true },
		{ "pop A, push the chain A, X", steal_insert_chain, true },
		{ "pop A, B, C, push B, C, A", steal_reorder, true },
		{ "pop A", steal_pop, false },
		{ "push X", steal_push, false },
	};
	static const struct {
		const char *name;
		void (*where)(void);
		u32 cpus;
	} places[] = {
		{ "in an NMI", as_nmi, 1 },
		{ "on another thread", as_thread, 1 },
		{ "on another CPU, which steals", as_cpu, 2 },
	};
	unsigned int i, j;
	bool good;

	for (j = 0; j < ARRAY_SIZE(places); j++) {
		ours_cpus = places[j].cpus;
		for (i = 0; i < ARRAY_SIZE(thieves); i++) {
			good = replay_pop(&naive, thieves[i].steal, places[j].where);
			tap_ok(good != thieves[i].aba && replayed,
			       "pop stalls; %s, %s: %s the naive stack (%s)",
			       thieves[i].name, places[j].name,
			       thieves[i].aba ? "breaks" : "does not break", why);
			good = replay_pop(&ours, thieves[i].steal, places[j].where);
			tap_ok(good && replayed, "pop stalls; %s, %s: not ours (%s)",
			       thieves[i].name, places[j].name, why);
			good = replay_push(&ours, thieves[i].steal, places[j].where);
			tap_ok(good && replayed, "push stalls; %s, %s: not ours (%s)",
			       thieves[i].name, places[j].name, why);
		}
	}
	ours_cpus = 1;
}

static bool replay_depth(const struct stack *which, int depth)
{
	start(which, MAX_JOBS);
	spare = pop();
	thief = steal_aba;
	depth_left = depth;
	depth_stalled = 1;
	hook = as_nested_nmi;
	pop();
	replayed &= depth_stalled == depth;
	return intact();
}

static void test_depths(void)
{
	static const int depths[] = { 1, 2, 3, 4, 16, MAX_DEPTH };
	unsigned int i;
	bool good;

	for (i = 0; i < ARRAY_SIZE(depths); i++) {
		good = replay_depth(&naive, depths[i]);
		tap_ok(!good && replayed, "%d pops stalled, each in an NMI of the one before; ABA: breaks the naive stack (%s)",
		       depths[i], why);
		good = replay_depth(&ours, depths[i]);
		tap_ok(good && replayed, "%d pops stalled, each in an NMI of the one before; ABA: not ours (%s)",
		       depths[i], why);
	}
}

int main(int argc, char **argv)
{
	tap_start(argc, argv);
	test_schedules();
	test_depths();
	return tap_done();
}
