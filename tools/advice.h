/* SPDX-License-Identifier: GPL-2.0-only */
/* From what is wrong to what to do about it. */
#ifndef ADVICE_H
#define ADVICE_H

#include <stddef.h>

#include "guard.h"

#define MODPROBE_FILE "/etc/modprobe.d/kptr-nmi-guard.conf"

/* What the fault @name means, and what to do, in a sentence. */
const char *advice_for(const char *name);

/*
 * The line for MODPROBE_FILE that cures what parameters can cure. False if they
 * can cure nothing.
 */
bool advice_options(const struct guard *guard, const char *root, char *line, size_t size);

#endif /* ADVICE_H */
