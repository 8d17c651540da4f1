// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "common.h"
#include "exercise.h"

/* What libbpf said, the verifier's log included. */
static char said[1 << 18];
static size_t len;
static bool rejected;

static int listen(enum libbpf_print_level level, const char *format,
		  va_list args)
{
	char *text = said + len;
	int n;

	if (level != LIBBPF_WARN)
		return 0;
	n = vsnprintf(text, sizeof(said) - len, format, args);
	len = n < (int)(sizeof(said) - len) ? len + n : sizeof(said) - 1;
	/* A field of ours that does not exist is our bug. */
	if ((strstr(text, "BEGIN PROG LOAD LOG") &&
	     !strstr(text, "invalid CO-RE relocation")) ||
	    strstr(text, "not found in kernel"))
		rejected = true;
	return 0;
}

static bool is_reason(const char *line)
{
	return *line && !strstr(line, "PROG LOAD LOG") &&
	       strncmp(line, "processed ", 10) &&
	       strncmp(line, "peak_states", 11) &&
	       !strstr(line, "failed to load");
}

/* The last line that is a reason and not a statistic or a frame. */
static const char *reason(void)
{
	const char *found = said;
	char *line;

	for (line = strtok(said, "\n"); line; line = strtok(NULL, "\n"))
		if (is_reason(line))
			found = line;
	return found;
}

bool exercise_load(struct bpf_object_skeleton *skeleton, const char *name)
{
	int err;

	libbpf_set_print(listen);
	err = bpf_object__load_skeleton(skeleton);
	if (!err) {
		marker("loaded");
		rejected = false;
		err = bpf_object__attach_skeleton(skeleton);
	}
	libbpf_set_print(NULL);
	if (!err) {
		marker("attached");
		return true;
	}
	if (getenv("KNG_LOG"))
		fputs(said, stderr);
	note("%s: %s", name, reason());
	if (rejected)
		tap_skip(name, "verifier rejects");
	else
		tap_ok(false, "%s loads and attaches: %s", name,
		       strerror(-err));
	return false;
}
