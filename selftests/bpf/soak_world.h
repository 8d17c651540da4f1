/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the soak's references refer to: tasks and cgroups. Some last to the end,
 * so that their own counts can be compared; others end while maps hold references
 * to them, so that these are the last ones.
 */
#ifndef KNG_SOAK_WORLD_H
#define KNG_SOAK_WORLD_H

#include <stdbool.h>
#include <sys/types.h>

#include "soak.h"

#define LASTING SOAK_OWNERS	/* of the tasks; the rest is replaced */

void world_make(void);

/* Tells a program where they are. */
void world_show(struct soak_ctl *ctl);

/* One short-lived task ends, another one takes its place. */
void world_replace_task(struct soak_ctl *ctl, unsigned int i);

/* A cgroup that @use gets before it is removed. */
void world_pass_cgroup(void (*use)(void *arg, __u64 id), void *arg);

/* All of it ends. Lasting cgroups stay in the kernel while they are referred to. */
void world_end(void);

#endif /* KNG_SOAK_WORLD_H */
