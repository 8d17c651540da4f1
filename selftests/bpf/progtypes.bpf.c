// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program in NMI is of one type or the other; the loader picks it. Each
 * overwrites array values that hold kptrs, or releases these.
 */
#define KNG_NMI_PROGRAM_ELSEWHERE
#include "kng.bpf.h"

const volatile struct kng_conf conf;
struct kng_ctl ctl;

#include "array.bpf.h"
#include "exercise.bpf.h"

struct trace_event_raw_nmi_handler {
	int handled;
} __kernel_type;

SEC("tp_btf/nmi_handler")
int BPF_PROG(on_tp_btf, void *handler, __s64 delta_ns, int handled)
{
	return handled ? nmi() : 0;
}

SEC("raw_tp/nmi_handler")
int BPF_PROG(on_raw_tp, void *handler, __s64 delta_ns, int handled)
{
	return handled ? nmi() : 0;
}

SEC("tp/nmi/nmi_handler")
int on_tp(struct trace_event_raw_nmi_handler *ctx)
{
	return ctx->handled ? nmi() : 0;
}

/* A handler that every NMI calls, ours included. */
SEC("fentry/nmi_cpu_backtrace_handler")
int BPF_PROG(on_fentry, unsigned int cmd)
{
	return nmi();
}

/* No NMI: interrupts are off, and the runqueue is locked. */
SEC("tp_btf/sched_switch")
int BPF_PROG(on_sched_switch, int preempt, void *prev, void *next)
{
	return nmi();
}

/* On a breakpoint in the kernel, or a counter of the PMU. */
SEC("perf_event")
int on_perf_event(void *ctx)
{
	return nmi();
}
