/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Test Anything Protocol, and what all host tests share: the seed, a deadline
 * against endless loops, random numbers.
 */
#ifndef SELFTESTS_HOST_TAP_H
#define SELFTESTS_HOST_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Far beyond what any test takes: it ends a hang, it does not measure. */
#define TAP_DEADLINE_S	300

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define TAP_PRINTF(f, a)	__attribute__((format(printf, f, a)))
#define TAP_MAYBE		__attribute__((unused))

static int tap_tests, tap_failed;

/* One result. Returns @good. */
static TAP_MAYBE TAP_PRINTF(2, 3) bool tap_ok(bool good, const char *fmt, ...)
{
	va_list args;

	printf("%s %d - ", good ? "ok" : "not ok", ++tap_tests);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	tap_failed += !good;
	/* The mutants' run needs to know of one failure only. */
	if (!good && getenv("TAP_STOP"))
		exit(1);
	return good;
}

static TAP_MAYBE TAP_PRINTF(1, 2) void tap_diag(const char *fmt, ...)
{
	va_list args;

	printf("# ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static TAP_MAYBE void tap_skip(const char *what, const char *why)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_tests, what, why);
	fflush(stdout);
}

/* In place of a plan: nothing of the program runs. Returns main()'s exit status. */
static TAP_MAYBE int tap_skip_all(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	fflush(stdout);
	return 0;
}

/* The plan. Returns main()'s exit status. */
static TAP_MAYBE int tap_done(void)
{
	printf("1..%d\n", tap_tests);
	fflush(stdout);
	return tap_failed || !tap_tests;
}

/* xorshift64*: small, good enough, the same everywhere. */
static TAP_MAYBE uint64_t rnd(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return (x * 0x2545f4914f6cdd1dULL) >> 16;
}

/* A stream of its own for part @n of a test that runs with @seed; never 0. */
static TAP_MAYBE uint64_t rnd_start(uint64_t seed, uint64_t n)
{
	uint64_t state = (seed + 1) * 0x9e3779b97f4a7c15ULL + (n + 1) * 0xbf58476d1ce4e5b9ULL;

	return state ? state : 1;
}

/* Options that all tests know: --seed N. Prints the seed that is used. */
static TAP_MAYBE uint64_t tap_start(int argc, char **argv)
{
	uint64_t seed = 1;

	if (argc == 3 && !strcmp(argv[1], "--seed")) {
		seed = strtoull(argv[2], NULL, 0);
	} else if (argc > 1) {
		fprintf(stderr, "usage: %s [--seed N]\n", argv[0]);
		exit(2);
	}
	alarm(TAP_DEADLINE_S);
	printf("# seed %llu\n", (unsigned long long)seed);
	return seed;
}

#endif /* SELFTESTS_HOST_TAP_H */
