// SPDX-License-Identifier: GPL-2.0-only
/*
 * The recursion guard, entered again at any point and at any level.
 *
 * A handler is enter, work, exit. It is interrupted by others of the same level
 * or a higher one, which do the same and may be interrupted in turn. Whatever
 * comes: enter says "nested" exactly when some other handler is between its
 * enter and its exit, the level is up during the work, and all is as before
 * when the handler has left.
 */
#include <kng_depth.h>

#include "step.h"
#include "tap.h"

#define MAX_NEST	40

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
		if (depth.level[i] != working[i])
			fail("a level is not what is at work there");
	if (!depth.word == somebody_works())
		fail("the word does not say whether somebody is at work");
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

	if (kng_depth_enter(&depth, level) != somebody_works())
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
	tap_ok(!broken && nested_handlers, "%lu handlers nested at random, %lu inside another: %s",
	       handlers, nested_handlers, broken ? broken : "all counted");
}

static void test_deep(void)
{
	unsigned int level;
	int i;

	start();
	for (level = 0; level < KNG_LEVELS; level++)
		for (i = 0; i < MAX_NEST; i++) {
			if (kng_depth_enter(&depth, level) != (level || i))
				fail("enter does not know who is at work");
			working[level]++;
			check_levels();
		}
	while (level--)
		for (i = 0; i < MAX_NEST; i++) {
			kng_depth_exit(&depth, level);
			working[level]--;
			check_levels();
		}
	tap_ok(!broken && !depth.word, "%d deep at each of the %d levels: %s",
	       MAX_NEST, KNG_LEVELS, broken ? broken : "all counted");
}

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
	bool was_nested;
};

static struct stepped stack[NEST];
static int nest;		/* entries of @stack in use */
static unsigned long visits;

static void body(void *arg)
{
	struct stepped *handler = arg;

	handler->was_nested = kng_depth_enter(&depth, handler->level);
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
	if (handler->was_nested ? !may : must)
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
	if (stack[0].was_nested)
		fail("the first handler was told that it is nested");
	if (depth.word)
		fail("the word is not 0 when all have left");
	return step_visited(&stack[0].step);
}

/* Told "not nested", then "nested", then "not nested", each at least once. */
static void test_one_visitor(unsigned int low, unsigned int high)
{
	const unsigned int levels[NEST] = { low, high };
	int changes = 0, last = 0, was_nested = 0;
	long at;

	for (at = 0; run(levels, 2, at, -1) && !broken; at++) {
		changes += stack[1].was_nested != last;
		last = stack[1].was_nested;
		was_nested += last;
	}
	tap_ok(!broken && changes == 2 && !last,
	       "level %u interrupted by level %u at each of %ld instructions, nested at %d: %s",
	       low, high, at, was_nested, broken ? broken : "all counted");
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
	       low, middle, high, visits - before, broken ? broken : "all counted");
}

static void test_steps(void)
{
	unsigned int low, high;

	step_init();
	for (low = 0; low < KNG_LEVELS; low++)
		for (high = low; high < KNG_LEVELS; high++)
			test_one_visitor(low, high);
	test_two_visitors(3, 3, 3);
	test_two_visitors(0, 0, 0);
	test_two_visitors(0, 2, 3);
	test_two_visitors(1, 1, 3);
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

	test_random(seed);
	test_deep();
	test_steps();
	return tap_done();
}
