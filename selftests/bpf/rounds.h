/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The loop of every exerciser: fill the slots, let NMIs tear them down until
 * all are empty, again; then the balance.
 */
#ifndef KNG_ROUNDS_H
#define KNG_ROUNDS_H

#include "exercise.h"

/* All rounds, or until SIGTERM, and the verdict. Returns the exit code. */
int rounds_run(struct exercise *ex);

#endif /* KNG_ROUNDS_H */
