/* SPDX-License-Identifier: GPL-2.0-only */
/* What every subcommand prints: text for people, or one JSON object. */
#ifndef OUT_H
#define OUT_H

#include <stdbool.h>

#include <jansson.h>

enum tone { TONE_GOOD, TONE_BAD, TONE_WARN, TONE_HEAD };

#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Text in a colour, if stdout is a terminal and NO_COLOR is not set. */
void out_tone(enum tone tone, const char *fmt, ...) PRINTF(2, 3);

/*
 * Notes down, once, what could not be looked at and what would help. Shown by
 * out_unseen() as text, returned by out_unseen_json() for JSON.
 */
void out_note_unseen(const char *fmt, ...) PRINTF(1, 2);
unsigned int out_unseen_count(void);
void out_unseen(void);
json_t *out_unseen_json(void);

/* Says why nothing could be found out: verdict "unknown". Returns the exit status. */
int out_unknown(bool as_json, const char *what);

/* Prints @object on a line of its own and drops it. */
void out_json(json_t *object);

/* As json_object_set_new(): a key more; out of memory ends the program. */
void json_put(json_t *object, const char *key, json_t *value);

void die(const char *fmt, ...) PRINTF(1, 2) __attribute__((noreturn));
void *xrealloc(void *old, size_t count, size_t size);

#endif /* OUT_H */
