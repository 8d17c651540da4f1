/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All orders in which a few fibers can run, up to a number of switches.
 *
 * A fiber is a coroutine. Wherever it calls fiber_switch() another one may go on instead:
 * which, is a decision, and fibers_next() goes through all sequences of decisions, depth
 * first; the test runs the fibers from the start again for each. A switch counts if the
 * fiber could have gone on: most bugs need two or three (Musuvathi and Qadeer's CHESS,
 * PLDI 2007).
 *
 * The test that includes this has broken and fail(), and says what fibers there are:
 */
#ifndef SELFTESTS_HOST_FIBERS_H
#define SELFTESTS_HOST_FIBERS_H

#include <stdbool.h>
#include <string.h>
#include <ucontext.h>

/* May fiber @i go on? It has not ended. */
static bool fiber_may_run(int i);
/* It does. */
static void fiber_goes_on(int i);
/* All that it does */
static void fiber_runs(int i);

#define MAX_FIBERS	8
#define FIBER_STACK	(64 * 1024)
#define MAX_DECISIONS	512
#define NO_FIBER	(-1)

static struct fiber {
	ucontext_t context;
	char stack[FIBER_STACK];
	bool started, done;
} fibers[MAX_FIBERS];

static int nr_fibers, fiber_now = NO_FIBER;
static ucontext_t fiber_scheduler;

/* The decisions of this run, and how many ways there were */
static unsigned char choice[MAX_DECISIONS], ways[MAX_DECISIONS];
static int nr_decisions, switches_left;

static int decide(int nr)
{
	int i = nr_decisions;

	if (nr == 1)
		return 0;
	if (i == MAX_DECISIONS) {
		fail("no end in sight");
		return 0;
	}
	nr_decisions++;
	if (ways[i] != nr) {
		/* New ground; what was decided here before is gone. */
		ways[i] = nr;
		choice[i] = 0;
	}
	return choice[i];
}

static void fibers_begin(void)
{
	memset(choice, 0, sizeof(choice));
	memset(ways, 0, sizeof(ways));
	nr_decisions = 0;
}

/* Go to the next sequence of decisions. False after the last. */
static bool fibers_next(void)
{
	while (nr_decisions) {
		int i = nr_decisions - 1;

		if (++choice[i] < ways[i]) {
			memset(&ways[i + 1], 0, MAX_DECISIONS - i - 1);
			nr_decisions = 0;
			return true;
		}
		choice[i] = 0;
		ways[i] = 0;
		nr_decisions = i;
	}
	return false;
}

static inline bool fiber_is_running(int i)
{
	return fibers[i].started && !fibers[i].done;
}

/* Who goes on? @here may, without it being a switch. */
static int fiber_pick(int here)
{
	int can[MAX_FIBERS], nr = 0, i;

	if (here != NO_FIBER) {
		can[nr++] = here;
		if (!switches_left)
			return here;
	}
	for (i = 0; i < nr_fibers; i++)
		if (i != here && !fibers[i].done && fiber_may_run(i))
			can[nr++] = i;
	if (!nr)
		return NO_FIBER;
	return can[decide(nr)];
}

static void fiber_go_to(int to)
{
	int from = fiber_now;

	if (from == to)
		return;
	fiber_now = to;
	if (to != NO_FIBER)
		fibers[to].started = true;
	swapcontext(from == NO_FIBER ? &fiber_scheduler : &fibers[from].context,
		    to == NO_FIBER ? &fiber_scheduler : &fibers[to].context);
	if (from != NO_FIBER)
		fiber_goes_on(from);
}

/* Another one may go on here. */
static void fiber_switch(void)
{
	int to = fiber_pick(fiber_now);

	if (broken)
		to = NO_FIBER; /* for good: this run is over */
	else if (to != fiber_now)
		switches_left--;
	fiber_go_to(to);
}

/* Another one has to: this one can't go on for now. */
static inline void fiber_wait(void)
{
	fiber_go_to(broken ? NO_FIBER : fiber_pick(NO_FIBER));
}

static void fiber_main(int i)
{
	fiber_goes_on(i);
	fiber_runs(i);
	fibers[i].done = true;
	/* Who goes on now is a decision, but not a switch. */
	fiber_go_to(broken ? NO_FIBER : fiber_pick(NO_FIBER));
}

static void fibers_run(int nr, int switches)
{
	int i;

	nr_fibers = nr;
	fiber_now = NO_FIBER;
	switches_left = switches;
	for (i = 0; i < nr; i++) {
		struct fiber *fiber = &fibers[i];

		fiber->started = false;
		fiber->done = false;
		getcontext(&fiber->context);
		fiber->context.uc_stack.ss_sp = fiber->stack;
		fiber->context.uc_stack.ss_size = FIBER_STACK;
		fiber->context.uc_link = NULL;
		makecontext(&fiber->context, (void (*)(void))fiber_main, 1, i);
	}
	fiber_go_to(fiber_pick(NO_FIBER));
	for (i = 0; i < nr && !broken; i++)
		if (!fibers[i].done)
			fail("one never ended");
}

#endif /* SELFTESTS_HOST_FIBERS_H */
