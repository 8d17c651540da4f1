/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's parameters.
 */
#ifndef KNG_PARAMS_H
#define KNG_PARAMS_H

#include <linux/types.h>

#include "watch.h"

/**
 * struct kng_params - what the user asked for, checked
 * @jobs: that are always there
 * @headroom: jobs beyond what maps have room for
 * @max_jobs: never more than that
 * @budget: destructors in one hardirq run
 * @teardown: when the teardown door opens
 * @exact: count references, and refuse what can't be promised a job
 * @shrink: keep jobs for the references that are counted only
 */
struct kng_params {
	unsigned int jobs;
	unsigned int headroom;
	unsigned int max_jobs;
	unsigned int budget;
	enum kng_teardown_mode teardown;
	bool exact;
	bool shrink;
};

extern struct kng_params kng_params;

/**
 * kng_params_check() - fill kng_params, kng_on_empty, kng_hook_kind,
 *	kng_entry_irqsoff and kng_charge_floor from what was given
 *
 * A value that can't be is refused, and the log says what can.
 *
 * Context: Task; at load, before anything else.
 * Return: 0; -EINVAL; or -EOPNOTSUPP: this kernel can't do it.
 */
int kng_params_check(void);

#endif /* KNG_PARAMS_H */
