/* SPDX-License-Identifier: GPL-2.0-only */
/* TAP, deadlines, small files and the witness's counts. */
#ifndef KNG_COMMON_H
#define KNG_COMMON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define DEBUGFS "/sys/kernel/debug/"
#define FOREIGN DEBUGFS "kng_foreign/"
#define GUARD_STATS DEBUGFS "kptr_nmi_guard/stats"

#define EXIT_USAGE 2
#define EXIT_ALL_SKIPPED 4

#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

bool tap_ok(bool ok, const char *fmt, ...) PRINTF(2, 3);
void tap_skip(const char *name, const char *why);
int tap_done(void);
void note(const char *fmt, ...) PRINTF(1, 2);
void marker(const char *fmt, ...) PRINTF(1, 2);
void die(const char *fmt, ...) PRINTF(1, 2) __attribute__((noreturn));

uint64_t now_ms(void);
bool wait_until(bool (*done)(void *arg), void *arg, unsigned int ms);

int file_write(const char *path, const char *fmt, ...) PRINTF(2, 3);
long long file_number(const char *path, const char *name);

/*
 * A number in the guard's stats. Zero where no guard is loaded; where one is, a
 * line that is missing ends the test.
 */
bool guard_present(void);
long long guard_count(const char *name);

struct seen {
	long long total;
	long long nmi;
};

bool witness_present(void);
void witness_reset(void);
bool witness_watches(const char *function);
struct seen witness_count(const char *function);

#endif /* KNG_COMMON_H */
