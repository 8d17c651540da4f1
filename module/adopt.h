/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Maps that are older than the guard.
 */
#ifndef KNG_ADOPT_H
#define KNG_ADOPT_H

#include <linux/types.h>

/**
 * kng_adopt_maps() - have the map watch see all maps that exist
 *
 * Context: Task; maps are watched. The caller may use bpf(2).
 * Return: 0; -EPERM if they can't be looked at.
 */
int kng_adopt_maps(void);

/**
 * kng_adopting() - ask if a map is seen because of kng_adopt_maps()
 *
 * Context: Task.
 * Return: true if so.
 */
bool kng_adopting(void);

#endif /* KNG_ADOPT_H */
