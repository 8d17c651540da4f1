/* SPDX-License-Identifier: GPL-2.0-only */
/* Which processes have maps and programs open. */
#ifndef OWNERS_H
#define OWNERS_H

#include <jansson.h>
#include <linux/types.h>

#include "places.h"

enum owned { OWNED_MAP, OWNED_PROG };

/*
 * Looks through /proc. Programs attached without a link, by an ioctl on a perf event,
 * are found here too and added to @places.
 */
void owners_read(struct places *places);
/* [{"pid": 1, "comm": "init"}, ...] */
json_t *owners_of(enum owned kind, __u32 id);

#endif /* OWNERS_H */
