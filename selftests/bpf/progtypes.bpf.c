// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program in NMI is of one type or the other; the loader picks it. Each
 * overwrites array values that hold kptrs, or releases these.
 */
#define KNG_NMI_PROGRAM_ELSEWHERE
#include "kng.bpf.h"

const volatile __u32 by_release;
const volatile struct kng_conf conf;
struct kng_ctl ctl;

#include "value.bpf.h"
#include "release.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KNG_SLOTS_MAX);
	__type(key, __u32);
	__type(value, struct value);
} slots SEC(".maps");

static int store(__u32 slot, __u64 id)
{
	struct value *value = bpf_map_lookup_elem(&slots, &slot);

	return value ? store_value(value, slot, id) : -EINVAL;
}

static int tear(__u32 slot)
{
	struct value *value, empty = {};

	if (!by_release)
		return bpf_map_update_elem(&slots, &slot, &empty, BPF_ANY);
	value = bpf_map_lookup_elem(&slots, &slot);
	return value ? release_value(value) : -EINVAL;
}

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

/* A breakpoint in the kernel: its #DB counts as NMI. */
SEC("perf_event")
int on_perf_event(void *ctx)
{
	return nmi();
}
