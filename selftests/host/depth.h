/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the recursion guard share: its word, and the first thing that was
 * wrong since depth_start().
 */
#ifndef SELFTESTS_HOST_DEPTH_H
#define SELFTESTS_HOST_DEPTH_H

#include <stdbool.h>
#include <string.h>

#include <kng_depth.h>

#include "tap.h"

static union kng_depth depth;
static const char *broken;

static TAP_MAYBE void fail(const char *what)
{
	if (!broken)
		broken = what;
}

static TAP_MAYBE void depth_start(void)
{
	memset(&depth, 0, sizeof(depth));
	broken = NULL;
}

#endif
