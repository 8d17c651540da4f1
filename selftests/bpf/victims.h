/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The objects whose references are stored. Lasting ones (this process, one
 * cgroup) outlive the test; short-lived ones, one per slot, are ended while
 * the map still refers to them, so that the map holds the last reference.
 */
#ifndef KNG_VICTIMS_H
#define KNG_VICTIMS_H

#include <stdbool.h>

#include "shared.h"

void victims_init(enum kng_kind kind, bool last);
void victims_make(unsigned int n);
void victims_end(unsigned int timeout_ms);
__u64 victim(unsigned int slot);
void victims_exit(void);
long long victims_dying_cgroups(void);

#endif /* KNG_VICTIMS_H */
