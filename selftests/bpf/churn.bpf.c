// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps that could hold kptrs: as in the test of that name. The loader makes more
 * of them, by the types.
 */
#include "mapof.bpf.c"
