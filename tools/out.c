// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "out.h"

static const char * const colours[] = {
	[TONE_GOOD] = "\033[32m", [TONE_BAD] = "\033[1;31m",
	[TONE_WARN] = "\033[33m", [TONE_HEAD] = "\033[1m",
};

static json_t *unseen;

static bool coloured(void)
{
	const char *off = getenv("NO_COLOR");

	return (!off || !*off) && isatty(STDOUT_FILENO);
}

void out_tone(enum tone tone, const char *fmt, ...)
{
	va_list args;

	if (coloured())
		fputs(colours[tone], stdout);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	if (coloured())
		fputs("\033[0m", stdout);
}

void die(const char *fmt, ...)
{
	va_list args;

	fputs("kptr-nmi-guard: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(EXIT_UNKNOWN);
}

void *xrealloc(void *old, size_t count, size_t size)
{
	void *new = reallocarray(old, count, size);

	if (!new)
		die("out of memory");
	return new;
}

void out_note_unseen(const char *fmt, ...)
{
	char text[512];
	json_t *known;
	va_list args;
	size_t i;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!unseen)
		unseen = json_array();
	json_array_foreach(unseen, i, known)
		if (!strcmp(json_string_value(known), text))
			return;
	json_array_append_new(unseen, json_string(text));
}

unsigned int out_unseen_count(void)
{
	return json_array_size(unseen);
}

void out_unseen(void)
{
	json_t *line;
	size_t i;

	if (!out_unseen_count())
		return;
	out_tone(TONE_HEAD, "\nNot seen:\n");
	json_array_foreach(unseen, i, line)
		printf("  %s\n", json_string_value(line));
}

json_t *out_unseen_json(void)
{
	return unseen ? json_incref(unseen) : json_array();
}

int out_unknown(bool as_json, const char *what)
{
	json_t *object;

	if (as_json) {
		out_note_unseen("%s", what);
		object = json_object();
		json_put(object, "verdict", json_string("unknown"));
		json_put(object, "unseen", out_unseen_json());
		out_json(object);
	} else {
		out_tone(TONE_WARN, "unknown:");
		printf(" %s\n", what);
		out_unseen();
	}
	return EXIT_UNKNOWN;
}

void json_put(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value))
		die("cannot build the JSON answer (%s)", key);
}

void out_json(json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(object);
}
