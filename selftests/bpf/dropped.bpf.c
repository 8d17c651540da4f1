// SPDX-License-Identifier: GPL-2.0-only
/*
 * Array values with kptrs, overwritten or released at the bottom of nested
 * ftrace handlers in NMI (kng_drop.ko).
 */
#define KNG_NMI_PROGRAM_ELSEWHERE
#include "kng.bpf.h"

const volatile struct kng_conf conf;
struct kng_ctl ctl;

#include "array.bpf.h"
#include "exercise.bpf.h"

SEC("fentry/kng_drop_bottom")
int BPF_PROG(on_bottom)
{
	return nmi();
}
