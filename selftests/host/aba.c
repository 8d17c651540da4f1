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
 * B is now on top and in use. The stall is in the header's own race point,
 * between the load and the exchange. The thief is an NMI there, or another
 * thread. A naive stack, which is what llist_del_first() is with more than one
 * consumer, must break, or the schedule is not what it says.
 */
#include <pthread.h>
#include <semaphore.h>

static void race_point(void);
#define kng_pool_race_point() race_point()
#include <kng_resize.h>

#include "chain.h"
#include "tap.h"

#define MAX_DEPTH	64
#define MAX_JOBS	(MAX_DEPTH + 8)
#define TAG_BITS	(64 - KNG_INDEX_BITS)

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

static void ours_reset(int nr)
{
	memset(&pool, 0, sizeof(pool));
	kng_pool_init(&pool);
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

/* Thieves. Each may hold one job, `spare', from before. */

static struct kng_job *spare;

static void steal_aba(void)
{
	struct kng_job *a = pop();

	pop();
	push(a);
}

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

static void (*thief)(void);

static void as_nmi(void)
{
	thief();
	replayed = true;
}

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
	} places[] = {
		{ "in an NMI", as_nmi },
		{ "on another thread", as_thread },
	};
	unsigned int i, j;
	bool good;

	for (j = 0; j < 2; j++)
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

/* The tag. */

static u64 tag(void)
{
	return (u64)atomic64_read(&pool.head) >> KNG_INDEX_BITS;
}

static void set_tag(u64 to)
{
	u64 head = (u64)atomic64_read(&pool.head) & KNG_INDEX_MASK;

	atomic64_set(&pool.head, head | to << KNG_INDEX_BITS);
}

static u64 tag_at_stall, tag_distance;

static void steal_aba_at_distance(void)
{
	steal_aba();
	set_tag(tag_at_stall + tag_distance);
}

static bool replay_distance(u64 from, u64 distance)
{
	start(&ours, 3);
	set_tag(from);
	tag_at_stall = from;
	tag_distance = distance;
	thief = steal_aba_at_distance;
	hook = as_nmi;
	pop();
	return intact();
}

static void test_tag(void)
{
	const u64 last = (1ULL << TAG_BITS) - 1;
	static const u64 pops = 5;
	struct kng_job *job;
	bool good = true;
	u64 from, i;

	start(&ours, 2);
	for (i = 0; i < 1000; i++) {
		job = pop();
		good &= tag() == i + 1;
		push(job);
		good &= tag() == i + 1;
	}
	tap_ok(good && intact(), "a pop moves the tag on by one, a push leaves it");

	for (from = last - pops + 1; from; from = from == last ? 0 : from + 1) {
		start(&ours, 3);
		set_tag(from);
		good = true;
		for (i = 1; i <= pops; i++) {
			job = pop();
			good &= tag() == ((from + i) & last);
			push(job);
			good &= tag() == ((from + i) & last);
		}
		tap_ok(good && intact(), "the tag wraps from 2^40 - %llu to %llu, the index does not notice",
		       (unsigned long long)(last + 1 - from),
		       (unsigned long long)((from + pops) & last));
	}

	for (from = last - 3; from; from = from == last ? 0 : from + 1) {
		start(&ours, 8);
		set_tag(from);
		thief = steal_aba;
		hook = as_nmi;
		pop();
		good = intact();
		tap_ok(good && replayed, "ABA while the tag wraps from 2^40 - %llu: not ours (%s)",
		       (unsigned long long)(last + 1 - from), why);
	}

	good = true;
	for (i = 0; i < TAG_BITS; i++)
		good &= replay_distance(0, 1ULL << i) && replayed &&
			replay_distance(last, 1ULL << i) && replayed;
	tap_ok(good, "ABA 2^0, 2^1, ... 2^39 pops later: all bits of the tag count");

	good = replay_distance(7, 0);
	tap_ok(!good && replayed, "ABA exactly 2^40 pops later (the tag set back by hand) does break ours (%s): the limit is the documented one",
	       why);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv);
	test_schedules();
	test_depths();
	test_tag();
	return tap_done();
}
