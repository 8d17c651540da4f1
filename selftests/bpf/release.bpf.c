// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program takes the reference out of the map and releases it itself, in
 * NMI. Every kernel accepts this, and none has a defence of its own.
 */
#include "kng.bpf.h"

const volatile struct kng_conf conf;
struct kng_ctl ctl;

#include "array.bpf.h"
#include "exercise.bpf.h"
