// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kptrs of a module's type, overwritten in NMI: as in the test of that name.
 */
#include "foreign.bpf.c"
