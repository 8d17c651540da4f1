// SPDX-License-Identifier: GPL-2.0-only
/*
 * The recursion guard: one handler, interrupted at each instruction, by one that is
 * interrupted at each instruction. Each has to know whether it is alone.
 */
#include <stdbool.h>

#include "depth.h"
#include "step.h"

#ifdef HAVE_STEP

/*
 * While an enter or exit is under way its level may be up or
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

	depth_start();
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

int main(int argc, char **argv)
{
	unsigned int low, high;

	tap_start(argc, argv);
	step_init();
	for (low = 0; low < KNG_LEVELS; low++)
		for (high = low; high < KNG_LEVELS; high++)
			test_one_visitor(low, high);
	test_two_visitors(3, 3, 3);
	test_two_visitors(0, 2, 3);
	test_two_visitors(0, 3, 3);
	return tap_done();
}

#else /* HAVE_STEP */

int main(int argc, char **argv)
{
	tap_start(argc, argv);
	return tap_skip_all("interrupts at each instruction: needs x86-64 without TSan");
}

#endif /* HAVE_STEP */
