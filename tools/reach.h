/* SPDX-License-Identifier: GPL-2.0-only */
/* What programs reach through maps: maps in maps, and programs by tail calls. */
#ifndef REACH_H
#define REACH_H

#include "maps.h"
#include "progs.h"

/*
 * Adds to each program's maps those that its maps hold; and a program that another one can
 * call runs where that one does.
 */
void reach_add(struct progs *progs, const struct maps *maps);

#endif /* REACH_H */
