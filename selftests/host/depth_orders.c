// SPDX-License-Identifier: GPL-2.0-only
/*
 * The recursion guard, all orders of the accesses of contexts that nest or preempt each
 * other.
 *
 * An entry's accesses are five: enter loads and stores its level, then reads the word;
 * exit loads and stores its level. As coroutines that switch before each of them,
 * contexts take any order: one by one as in the header's comment, and then all orders
 * that there are, with preemption off in enter and exit and without; and random ones of
 * more contexts.
 *
 * (TSan and ASan would have to be told about coroutines.)
 */
#include <setjmp.h>
#include <stdbool.h>
#include <ucontext.h>

struct context;
static struct context *now;		/* NULL: the scheduler */
static void access_point(struct context *here);
#define kernel_access()	(now ? access_point(now) : (void)0)

#include "depth.h"

#define MAX_CONTEXTS	6
#define ACCESSES	5	/* of a context */
#define ENTERED		3	/* after so many of them it is inside */
#define STACK_SIZE	(64 * 1024)

/*
 * @interrupts: runs to its end before what it interrupted goes on; else it is a task
 * @done: accesses so far
 */
struct context {
	unsigned int level;
	bool interrupts;
	ucontext_t first;	/* to begin with; from then on it goes on at: */
	jmp_buf next;
	bool begun;
	int done;
	bool alone;
	char stack[STACK_SIZE];
};

static struct context contexts[MAX_CONTEXTS];
static int nr_contexts;
static jmp_buf scheduler;	/* (unlike swapcontext(), jumps make no system call) */

/* What came out of one order of accesses. */
static bool overlap;
static int nr_alone, nr_refused;

static noinline void access_point(struct context *here)
{
	now = NULL;
	if (!_setjmp(here->next))
		_longjmp(scheduler, 1);
}

static bool inside(const struct context *c)
{
	return c->done >= ENTERED && c->done < ACCESSES;
}

static void one_context(void)
{
	struct context *here = now;
	int i;

	here->alone = kng_depth_enter(&depth, here->level);
	nr_alone += here->alone;
	nr_refused += !here->alone;
	for (i = 0; i < nr_contexts; i++)
		if (here->alone && &contexts[i] != here && inside(&contexts[i]) &&
		    contexts[i].alone)
			overlap = true;
	kng_depth_exit(&depth, here->level);
	now = NULL;
	_longjmp(scheduler, 1);
}

/* Its next access. */
static void go_on(struct context *c)
{
	now = c;
	if (!_setjmp(scheduler)) {
		if (c->begun)
			_longjmp(c->next, 1);
		c->begun = true;
		setcontext(&c->first);
	}
	c->done++;
}

static void contexts_start(const char *kinds)
{
	struct context *c;

	depth_start();
	overlap = false;
	nr_alone = 0;
	nr_refused = 0;
	nr_contexts = strlen(kinds);
	for (c = contexts; *kinds; c++, kinds++) {
		c->interrupts = strchr("SHN", *kinds);
		c->level = strchr("tSHN", *kinds) - "tSHN";
		c->alone = false;
		c->begun = false;
		getcontext(&c->first);
		c->first.uc_stack.ss_sp = c->stack;
		c->first.uc_stack.ss_size = sizeof(c->stack);
		c->first.uc_link = NULL;
		makecontext(&c->first, one_context, 0);
		/* To just before its first access. */
		go_on(c);
		c->done = 0;
	}
}

/* Context X goes on where the order says 'a' + X; all end. */
static void test_order(const char *what, const char *kinds, const char *order,
		       const char *alone, bool together, u8 left)
{
	const char *at;
	int i, good = true;

	contexts_start(kinds);
	for (at = order; *at; at++)
		if (*at != ' ')
			go_on(&contexts[*at - 'a']);
	for (i = 0; i < nr_contexts; i++) {
		good &= contexts[i].done == ACCESSES;
		good &= contexts[i].alone == !!strchr(alone, 'a' + i);
	}
	good &= overlap == together && depth.level[contexts[0].level] == left;
	tap_ok(good, "%s (%s): alone %s%s, the level ends at %u", what, order,
	       *alone ? alone : "nobody", together ? ", both at once" : "", left);
}

/* The interleavings of two, one by one. */
static void test_orders(void)
{
	test_order("one after the other", "tt", "aaaaa bbbbb", "ab", false, 0);
	test_order("inside", "tN", "aaa bbbbb aa", "a", false, 0);
	test_order("between load and store", "tN", "a bbbbb aaaa", "ab", false, 0);
	test_order("between store and read", "tN", "aa bbbbb aaa", "a", false, 0);
	test_order("in the exit", "tN", "aaaa bbbbb a", "a", false, 0);
	test_order("of the same level, after the load", "NN", "a bbbbb aaaa", "ab", false, 0);
	test_order("of the same level, after the store", "NN", "aa bbbbb aaa", "a", false, 0);
	/* Tasks, with preemption off in enter and exit, and on between them. */
	test_order("preempted inside", "tt", "aaa bbb aa bb", "a", false, 0);
	test_order("preempted inside, the other way round", "tt", "aaa bbb bb aa", "a", false, 0);
	test_order("nobody after who is not alone", "ttt", "aaa bbb aa ccccc bb", "a", false, 0);
	/* And on throughout: what the header forbids. */
	test_order("torn increment", "tt", "a bbb aaaa bb", "ab", true, 255);
	test_order("torn increment, the second leaves first", "tt", "a bbb aa bb aa", "ab", true,
		   255);
	test_order("not exactly one", "tt", "aa bb a b aa bb", "", false, 0);
	test_order("torn exit", "tt", "aaa bbb a bb a", "a", false, 1);
}

/* Orders: which context goes on at each access; depth first, from the start each time. */
static unsigned char choice[MAX_CONTEXTS * ACCESSES], ways[MAX_CONTEXTS * ACCESSES];
static int nr_choices;

static bool next_order(void)
{
	for (; nr_choices; nr_choices--)
		if (++choice[nr_choices - 1] < ways[nr_choices - 1])
			return true;
	return false;
}

/* Who may go on? @task: the task that is on the CPU; NULL if any may be. */
static int candidates(struct context **can, struct context **interrupts, int nr_interrupts,
		      struct context *task)
{
	int i, nr = 0;

	for (i = 0; i < nr_contexts; i++) {
		struct context *c = &contexts[i];

		if (c->done == ACCESSES)
			continue;
		if (c->interrupts) {
			struct context *top = nr_interrupts ? interrupts[nr_interrupts - 1] : NULL;

			/* The top one; or a new one, of no lower level than that. */
			if (c->done ? c == top : !top || top->level <= c->level)
				can[nr++] = c;
		} else if (!nr_interrupts && (!task || c == task)) {
			can[nr++] = c;
		}
	}
	return nr;
}

/* One order; @decide picks one of so many at each step. */
static void run_order(bool preempt_off, int (*decide)(int step, int nr, void *arg), void *arg)
{
	struct context *can[MAX_CONTEXTS], *interrupts[MAX_CONTEXTS], *task = NULL, *c;
	int step, nr, nr_interrupts = 0;

	for (step = 0; (nr = candidates(can, interrupts, nr_interrupts, task)); step++) {
		c = can[decide(step, nr, arg)];
		if (c->interrupts && !c->done)
			interrupts[nr_interrupts++] = c;
		go_on(c);
		if (c->interrupts)
			nr_interrupts -= c->done == ACCESSES;
		else
			task = preempt_off && c->done != ENTERED && c->done != ACCESSES ? c : NULL;
	}
}

static int decide_next(int step, int nr, void *unused)
{
	(void)unused;
	if (step == nr_choices) {
		nr_choices++;
		choice[step] = 0;
		ways[step] = nr;
	}
	return choice[step];
}

static int decide_random(int step, int nr, void *random)
{
	(void)step;
	return rnd(random) % nr;
}

struct outcomes {
	unsigned long orders, overlaps, not_zero, none_alone, refused;
};

static void note_outcome(struct outcomes *out)
{
	out->orders++;
	out->overlaps += overlap;
	out->not_zero += depth.word != 0;
	out->none_alone += !nr_alone;
	out->refused += nr_refused > 0;
}

/* t: a task; S, H, N: of the levels of softirqs, hardirqs, NMIs. */
static struct outcomes all_orders(const char *kinds, bool preempt_off)
{
	struct outcomes out = {};

	nr_choices = 0;
	do {
		contexts_start(kinds);
		run_order(preempt_off, decide_next, NULL);
		note_outcome(&out);
	} while (next_order());
	return out;
}

static void test_all_orders(const char *kinds)
{
	struct outcomes out = all_orders(kinds, true);

	tap_ok(!out.overlaps && !out.not_zero && out.refused && out.refused < out.orders,
	       "%s, preemption off in enter and exit: %lu orders, at most one alone and back to 0 in all; somebody not alone in %lu, nobody alone in %lu",
	       kinds, out.orders, out.refused, out.none_alone);
}

/* What must be found: else the test above would not find it either. */
static void test_preemptible(const char *kinds)
{
	struct outcomes out = all_orders(kinds, false);

	tap_ok(out.overlaps && out.not_zero && out.none_alone,
	       "%s, preemptible: of %lu orders %lu have two alone at once, %lu do not end at 0, in %lu nobody is alone",
	       kinds, out.orders, out.overlaps, out.not_zero, out.none_alone);
}

static void test_random_orders(u64 seed)
{
	u64 random = rnd_start(seed, 1);
	struct outcomes out = {};
	char kinds[MAX_CONTEXTS + 1];
	int i, nr;

	for (i = 0; i < 5000; i++) {
		memset(kinds, 0, sizeof(kinds));
		for (nr = 2 + rnd(&random) % (MAX_CONTEXTS - 1); nr; nr--)
			kinds[nr - 1] = "ttSHNN"[rnd(&random) % 6];
		contexts_start(kinds);
		run_order(true, decide_random, &random);
		note_outcome(&out);
	}
	tap_ok(!out.overlaps && !out.not_zero && out.refused,
	       "%lu random orders of up to %d contexts: at most one alone, back to 0; somebody not alone in %lu",
	       out.orders, MAX_CONTEXTS, out.refused);
}

int main(int argc, char **argv)
{
	u64 seed = tap_start(argc, argv);

	test_orders();
	test_all_orders("tN");
	test_all_orders("NN");
	test_all_orders("tt");
	test_all_orders("ttt");
	test_all_orders("ttN");
	test_all_orders("tSHN");
	test_all_orders("tNN");
	test_all_orders("ttNN");
	test_preemptible("tt");
	test_preemptible("ttN");
	test_random_orders(seed);
	return tap_done();
}
