// SPDX-License-Identifier: GPL-2.0-only
/*
 * The recursion guard: at most one entry of all that are inside at once is alone,
 * and the word is 0 when all have left.
 *
 * An entry's accesses are five: enter loads and stores its level, then reads the word;
 * exit loads and stores its level. As coroutines that switch before each of them,
 * contexts take any order: one by one as in the header's comment, and then all orders
 * that there are, with preemption off in enter and exit and without. Real signals nest,
 * and on x86 the contexts come at each instruction.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>
#include <ucontext.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
/* Both would have to be told about coroutines. */
#else
#define HAVE_COROUTINES
struct context;
static struct context *now;		/* NULL: the scheduler, or no coroutine */
static void access_point(struct context *here);
#define kernel_access()	(now ? access_point(now) : (void)0)
#endif

#include <kng_depth.h>

#include "step.h"
#include "tap.h"

static union kng_depth depth;

/* What the guard should know: handlers that are at work, for each level. */
static int working[KNG_LEVELS];
static const char *broken;
static unsigned long handlers, nested_handlers;

static void fail(const char *what)
{
	if (!broken)
		broken = what;
}

static bool somebody_works(void)
{
	int i;

	for (i = 0; i < KNG_LEVELS; i++)
		if (working[i])
			return true;
	return false;
}

static void check_levels(void)
{
	int i;

	for (i = 0; i < KNG_LEVELS; i++)
		if (depth.level[i] != (u8)working[i])
			fail("a level is not what is at work there");
}

static void start(void)
{
	memset(&depth, 0, sizeof(depth));
	memset(working, 0, sizeof(working));
	broken = NULL;
}

/* Random nesting; the handlers are whole between the interruptions. */
static void handler(unsigned int level, int nest, u64 *random)
{
	int visitors;

	if (kng_depth_enter(&depth, level) == somebody_works())
		fail("enter does not know who is at work");
	nested_handlers += somebody_works();
	working[level]++;
	handlers++;
	check_levels();
	for (visitors = rnd(random) % 3; visitors && nest; visitors--)
		handler(level + rnd(random) % (KNG_LEVELS - level), nest - 1, random);
	check_levels();
	kng_depth_exit(&depth, level);
	working[level]--;
	check_levels();
}

static void test_random(u64 seed)
{
	u64 random = rnd_start(seed, 0);
	int i;

	start();
	for (i = 0; i < 2000; i++)
		handler(rnd(&random) % KNG_LEVELS, 8, &random);
	tap_ok(!broken && nested_handlers && !depth.word,
	       "%lu handlers nested at random, %lu inside another: %s", handlers,
	       nested_handlers, broken ? broken : "each knows if it is alone");
}

/* So many of one level are told apart; one more, and the byte is as if it were the first. */
static void test_deep(unsigned int level)
{
	bool beyond;
	int i;

	start();
	for (i = 0; i <= KNG_DEPTH_MAX; i++) {
		if (kng_depth_enter(&depth, level) != !i)
			fail("not the first one alone is alone");
		working[level]++;
		check_levels();
	}
	beyond = kng_depth_enter(&depth, level);
	kng_depth_exit(&depth, level);
	while (i--) {
		kng_depth_exit(&depth, level);
		working[level]--;
		check_levels();
	}
	tap_ok(!broken && !depth.word && beyond,
	       "level %u: %d deep only the first is alone; the one after that is, too: the limit; %s",
	       level, KNG_DEPTH_MAX + 1, broken ? broken : "back to 0");
}

/* Levels nested in each other, so many of each as the levels' stacks could hold. */
static void test_all_levels(int of_each)
{
	unsigned int level;
	int i;

	start();
	for (level = 0; level < KNG_LEVELS; level++)
		for (i = 0; i < of_each; i++) {
			if (kng_depth_enter(&depth, level) != !(level || i))
				fail("not the first one alone is alone");
			working[level]++;
			check_levels();
		}
	while (level--)
		for (i = 0; i < of_each; i++) {
			kng_depth_exit(&depth, level);
			working[level]--;
			check_levels();
		}
	tap_ok(!broken && !depth.word, "%d deep at each of the %d levels: %s", of_each,
	       KNG_LEVELS, broken ? broken : "the first is alone, and back to 0");
}

#ifdef HAVE_COROUTINES

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

	start();
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

static void test_interleavings(u64 seed)
{
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
}

#else

static void test_interleavings(u64 seed)
{
	(void)seed;
	tap_skip("each interleaving", "coroutines; the plain test has them");
}

#endif

#ifndef __SANITIZE_THREAD__

/*
 * Signals as contexts of one CPU, whose task is the main thread: real interruptions,
 * wherever they come. Who is alone counts by a plain increment, others by an atomic
 * one: no count is lost.
 */
#define NESTED_NMIS	6

static const int signal_of[KNG_LEVELS] = { 0, SIGUSR1, SIGUSR2, SIGPROF };
static volatile sig_atomic_t busy, nmis_inside;
static volatile unsigned long plain_count;
static unsigned long atomic_count, entries, came_inside;
static timer_t timer[KNG_LEVELS];
static bool armed[KNG_LEVELS];

static void count_one(unsigned int level)
{
	bool alone = kng_depth_enter(&depth, level);

	__atomic_fetch_add(&entries, 1, __ATOMIC_RELAXED);
	if (alone) {
		if (busy)
			fail("two are alone at once");
		busy = 1;
		plain_count = plain_count + 1;
		busy = 0;
	} else {
		__atomic_fetch_add(&atomic_count, 1, __ATOMIC_RELAXED);
		if (!nmis_inside)
			__atomic_fetch_add(&came_inside, 1, __ATOMIC_RELAXED);
	}
	/* NMIs in an NMI */
	if (level == KNG_LEVELS - 1 && nmis_inside < NESTED_NMIS) {
		nmis_inside++;
		count_one(level);
		nmis_inside--;
	}
	kng_depth_exit(&depth, level);
}

static void on_signal(int signal)
{
	unsigned int level;

	for (level = 1; signal_of[level] != signal; level++)
		;
	count_one(level);
	__atomic_store_n(&armed[level], false, __ATOMIC_RELAXED);
}

static void timer_start(unsigned int level)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = signal_of[level] };
	struct sigaction action = { .sa_handler = on_signal };
	unsigned int lower;

	for (lower = 1; lower < level; lower++)
		sigaddset(&action.sa_mask, signal_of[lower]);
	sigaction(signal_of[level], &action, NULL);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer[level]))
		fail("no timer");
}

/* One signal of each level at most is on its way: the task gets on in any case. */
static void timer_again(unsigned int level, u64 *random)
{
	struct itimerspec once = { .it_value.tv_nsec = 1000 + rnd(random) % 60000 };

	if (__atomic_exchange_n(&armed[level], true, __ATOMIC_RELAXED))
		return;
	if (timer_settime(timer[level], 0, &once, NULL))
		fail("no timer");
}

static void test_signals(u64 seed, unsigned long wanted)
{
	u64 random = rnd_start(seed, 2);
	unsigned int level;

	start();
	for (level = 1; level < KNG_LEVELS; level++)
		timer_start(level);
	/* Until somebody came upon somebody else inside often enough. */
	while (__atomic_load_n(&came_inside, __ATOMIC_RELAXED) < wanted && !broken) {
		for (level = 1; level < KNG_LEVELS; level++)
			timer_again(level, &random);
		count_one(0);
	}
	for (level = 1; level < KNG_LEVELS; level++)
		timer_delete(timer[level]);
	tap_ok(!broken && !depth.word && plain_count && plain_count + atomic_count == entries,
	       "signals: %lu entries, alone %lu, not alone %lu, %lu signals while inside, no count lost: %s",
	       entries, plain_count, atomic_count, came_inside, broken ? broken : "back to 0");
}

#else

static void test_signals(u64 seed, unsigned long wanted)
{
	(void)seed;
	(void)wanted;
	tap_skip("signals nest", "TSan hands them out late, at places of its own choice");
}

#endif

#ifdef HAVE_STEP

/*
 * One handler, interrupted at each instruction, by one that is interrupted at
 * each instruction. While an enter or exit is under way its level may be up or
 * not: then what a visitor is told is only required to change once.
 */
#define NEST		3

struct stepped {
	unsigned int level;
	struct step step;
	volatile enum { ENTERING, WORKING, EXITING } phase;
	bool alone;
};

static struct stepped stack[NEST];
static int nest;		/* entries of @stack in use */
static unsigned long visits;

static void body(void *arg)
{
	struct stepped *handler = arg;

	handler->alone = kng_depth_enter(&depth, handler->level);
	handler->phase = WORKING;
	if (!depth.level[handler->level])
		fail("the level is not up during the work");
	handler->phase = EXITING;
	kng_depth_exit(&depth, handler->level);
}

static void run_handler(struct stepped *handler)
{
	int i, must = 0, may = 0;
	u32 before = depth.word;

	for (i = 0; handler - stack > i; i++) {
		must += stack[i].phase == WORKING;
		may++;
	}
	handler->phase = ENTERING;
	if (handler - stack + 1 < nest)
		step_run(&handler->step, body, handler);
	else
		body(handler);
	if (handler->alone ? must : !may)
		fail("enter does not know who is at work");
	if (depth.word != before)
		fail("a visitor has left something behind");
}

static void visit(void *arg)
{
	struct stepped *handler = arg;

	visits++;
	run_handler(handler + 1);
}

static bool run(const unsigned int *levels, int depths, long at0, long at1)
{
	const long at[NEST] = { at0, at1, -1 };
	int i;

	start();
	nest = depths;
	for (i = 0; i < depths; i++) {
		stack[i].level = levels[i];
		stack[i].step = (struct step) { .at = at[i], .visit = visit, .arg = &stack[i] };
	}
	run_handler(&stack[0]);
	if (!stack[0].alone)
		fail("the first handler was told that it is not alone");
	if (depth.word)
		fail("the word is not 0 when all have left");
	return step_visited(&stack[0].step);
}

/* Told "alone", then "not alone", then "alone", each at least once. */
static void test_one_visitor(unsigned int low, unsigned int high)
{
	const unsigned int levels[NEST] = { low, high };
	int changes = 0, last = 0, not_alone = 0;
	long at;

	for (at = 0; run(levels, 2, at, -1) && !broken; at++) {
		changes += !stack[1].alone != last;
		last = !stack[1].alone;
		not_alone += last;
	}
	tap_ok(!broken && changes == 2 && !last,
	       "level %u interrupted by level %u at each of %ld instructions, not alone at %d: %s",
	       low, high, at, not_alone, broken ? broken : "all know");
}

static void test_two_visitors(unsigned int low, unsigned int middle, unsigned int high)
{
	const unsigned int levels[NEST] = { low, middle, high };
	unsigned long before = visits;
	bool outer, inner;
	long at0, at1;

	for (at0 = 0; !broken; at0 += STEP_STRIDE) {
		at1 = at0 / STEP_STRIDE % STEP_STRIDE;
		do {
			outer = run(levels, 3, at0, at1);
			inner = step_visited(&stack[1].step);
			at1 += STEP_STRIDE;
		} while (outer && inner && !broken);
		if (!outer)
			break;
	}
	tap_ok(!broken && visits > before,
	       "level %u interrupted by level %u, and that by level %u, at each instruction, %lu times: %s",
	       low, middle, high, visits - before, broken ? broken : "all know");
}

static void test_steps(void)
{
	unsigned int low, high;

	step_init();
	for (low = 0; low < KNG_LEVELS; low++)
		for (high = low; high < KNG_LEVELS; high++)
			test_one_visitor(low, high);
	test_two_visitors(3, 3, 3);
	test_two_visitors(0, 2, 3);
	test_two_visitors(0, 3, 3);
}

#else

static void test_steps(void)
{
	tap_skip("interrupted at each instruction", "needs x86-64 without TSan");
}

#endif

int main(int argc, char **argv)
{
	u64 seed = tap_start(argc, argv);
	unsigned int level;

	test_random(seed);
	for (level = 0; level < KNG_LEVELS; level++)
		test_deep(level);
	test_all_levels(40);
	test_interleavings(seed);
	test_signals(seed, 50);
	test_steps();
	return tap_done();
}
