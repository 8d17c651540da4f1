/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Maps that were created before the guard was loaded.
 */
#ifndef KNG_ADOPT_H
#define KNG_ADOPT_H

#include <linux/types.h>

/**
 * kng_adopt_maps() - show all existing maps to the map watch
 *
 * Context: Task; maps are watched.
 * Return: 0; -EINTR if the caller was killed meanwhile; or another negative errno, if a
 *	map or the list of maps can't be read.
 */
int kng_adopt_maps(void);

/**
 * kng_adopting() - ask whether kng_adopt_maps() shows the map
 *
 * Context: Task; in the map watch.
 * Return: true if it does; false if another user opens or creates it.
 */
bool kng_adopting(void);

#endif /* KNG_ADOPT_H */
