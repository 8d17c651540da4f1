// SPDX-License-Identifier: GPL-2.0-only
/*
 * The recursion guard: at most one entry of all that are inside at once is alone,
 * and the word is 0 when all have left. Here handlers that nest at random, and as deep
 * as they may, each whole between the others; and real signals.
 *
 * depth_orders has all orders of the accesses, depth_steps has contexts come at each
 * instruction.
 */
#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include "depth.h"

/* What the guard should know: handlers that are at work, for each level. */
static int working[KNG_LEVELS];
static unsigned long handlers, nested_handlers;

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
	depth_start();
	memset(working, 0, sizeof(working));
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

int main(int argc, char **argv)
{
	u64 seed = tap_start(argc, argv);
	unsigned int level;

	test_random(seed);
	for (level = 0; level < KNG_LEVELS; level++)
		test_deep(level);
	test_all_levels(40);
	test_signals(seed, 50);
	return tap_done();
}
