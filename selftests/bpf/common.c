// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

#define WITNESS DEBUGFS "kng_witness/"

static int tests, failures, skips;

/* A line that is out before the next statement can hang the machine. */
static void flush(void)
{
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
}

/* One TAP line. Returns @ok. */
bool tap_ok(bool ok, const char *fmt, ...)
{
	va_list args;

	printf("%sok %d - ", ok ? "" : "not ", ++tests);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	failures += !ok;
	return ok;
}

/* What this kernel or guest cannot do; @why is for the reader. */
void tap_skip(const char *name, const char *why)
{
	printf("ok %d - %s # SKIP %s\n", ++tests, name, why);
	fflush(stdout);
	skips++;
}

/* The plan. Returns the exit code: 0, 1, or 4 where all was skipped. */
int tap_done(void)
{
	printf("1..%d\n", tests);
	flush();
	if (failures || !tests)
		return EXIT_FAILURE;
	return skips == tests ? EXIT_ALL_SKIPPED : EXIT_SUCCESS;
}

void note(const char *fmt, ...)
{
	va_list args;

	fputs("# ", stdout);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

/* A note that the host reads even if this machine hangs right after it. */
void marker(const char *fmt, ...)
{
	va_list args;

	fputs("# ", stdout);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	flush();
}

/* The test cannot even start: not a verdict on the kernel. */
void die(const char *fmt, ...)
{
	va_list args;

	fputs("Bail out! ", stdout);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	flush();
	exit(EXIT_USAGE);
}

uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

/* Polls @done each millisecond, at most @ms long. Returns its last answer. */
bool wait_until(bool (*done)(void *arg), void *arg, unsigned int ms)
{
	struct timespec tick = { .tv_nsec = 1000000 };
	uint64_t end = now_ms() + ms;

	while (!done(arg)) {
		if (now_ms() >= end)
			return done(arg);
		nanosleep(&tick, NULL);
	}
	return true;
}

/* One write(2) to @path. 0 or -errno. */
int file_write(const char *path, const char *fmt, ...)
{
	va_list args;
	FILE *file;
	int err = 0;

	file = fopen(path, "w");
	if (!file)
		return -errno;
	va_start(args, fmt);
	if (vfprintf(file, fmt, args) < 0)
		err = -EIO;
	va_end(args);
	if (fclose(file))
		err = -errno;
	return err;
}

/* The number after @name (NULL: the first) in @path; -1 if there is none. */
long long file_number(const char *path, const char *name)
{
	size_t len = name ? strlen(name) : 0;
	long long number = -1;
	char line[256];
	FILE *file;

	file = fopen(path, "r");
	if (!file)
		return -1;
	while (number < 0 && fgets(line, sizeof(line), file)) {
		if (name && (strncmp(line, name, len) ||
			     !strchr(": \t", line[len])))
			continue;
		number = strtoll(line + len + strspn(line + len, ": \t"),
				 NULL, 0);
	}
	fclose(file);
	return number;
}

bool guard_present(void)
{
	return !access(GUARD_STATS, R_OK);
}

/* A line that is missing must not be taken for a count of zero. */
long long guard_count(const char *name)
{
	long long n;

	if (!guard_present())
		return 0;
	n = file_number(GUARD_STATS, name);
	if (n < 0)
		die("no count '%s' in " GUARD_STATS, name);
	return n;
}

bool witness_present(void)
{
	return !access(WITNESS "counts", R_OK);
}

void witness_reset(void)
{
	if (file_write(WITNESS "reset", "1"))
		die("the witness cannot be reset");
	if (!access(FOREIGN "reset", W_OK))
		file_write(FOREIGN "reset", "1");
}

static bool count_in(const char *path, const char *function, struct seen *seen)
{
	char line[256], name[128];
	bool found = false;
	FILE *file;

	file = fopen(path, "r");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%127s %lld %lld", name, &seen->total,
			       &seen->nmi) == 3 && !strcmp(name, function);
	fclose(file);
	return found;
}

bool witness_watches(const char *function)
{
	struct seen seen;

	return count_in(WITNESS "counts", function, &seen) ||
	       count_in(FOREIGN "counts", function, &seen);
}

/*
 * Entries of @function since the reset; zeros if nobody watches it. The
 * module with a type of its own counts that by itself.
 */
struct seen witness_count(const char *function)
{
	struct seen seen;

	if (count_in(WITNESS "counts", function, &seen) ||
	    count_in(FOREIGN "counts", function, &seen))
		return seen;
	return (struct seen){ 0, 0 };
}
