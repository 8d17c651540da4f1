// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that runs in the middle of the guard's work. Before it takes a
 * reference of a module's type out of its slot, the guard takes one on the
 * module, and that has a tracepoint. What a program does there:
 *
 *   nested	overwrites the other slots: the guard is entered again
 *   raced	takes the reference out of the slot and keeps it in another map:
 *		the guard finds the slot empty. (Not of the first slot, whose
 *		reference may get the only job there is.)
 *
 * Or it runs in an NMI inside the NMI that the guard is at work in:
 *
 *   nmi	overwrites the other slots. The outer NMI is the PMU's, arm64's
 *		pseudo-NMI. The inner one is an SError, from kng_nmi_at.ko (inside=Y).
 */
#define KNG_NMI_PROGRAM_ELSEWHERE
#include "kng.bpf.h"

const volatile struct kng_conf conf;
const volatile __u32 races;
struct kng_ctl ctl;

#include "foreign.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KNG_SLOTS_MAX);
	__type(key, __u32);
	__type(value, struct value);
} kept SEC(".maps");

/* The number of the CPU that is in the NMI, and one more; 0: none. */
__u32 inside;

/* The slot that is being torn down. */
__u32 at;

/* Slots that this was done to. */
__u64 within;

static int tear(__u32 slot)
{
	at = slot;
	return overwrite(slot);
}

#include "exercise.bpf.h"

static int first(void)
{
	inside = bpf_get_smp_processor_id() + 1;
	nmi();
	inside = 0;
	return 0;
}

static int others(void)
{
	__u64 torn = ctl.torn;

	nmi();
	within += ctl.torn - torn;
	return 0;
}

SEC(KNG_NMI_SECTION)
int BPF_PROG(on_nmi, KNG_NMI_ARGS)
{
	return handled ? first() : 0;
}

SEC("perf_event")
int on_perf_event(void *ctx)
{
	return first();
}

static int race(void)
{
	__u32 slot = at, to = within;
	struct value *from = value_of(slot);
	struct value *value = bpf_map_lookup_elem(&kept, &to);
	struct kng_foreign *obj;

	if (!slot || !from || !value)
		return 0;
	obj = bpf_kptr_xchg(&from->obj, NULL);
	if (!obj)
		return 0;
	within++;
	obj = bpf_kptr_xchg(&value->obj, obj);
	if (obj)
		kng_foreign_release(obj);
	return 0;
}

SEC("tp_btf/module_get")
int BPF_PROG(on_module_get)
{
	if (inside != bpf_get_smp_processor_id() + 1)
		return 0;
	return races ? race() : others();
}

SEC(KNG_NMI_SECTION)
int BPF_PROG(on_inner_nmi, KNG_NMI_ARGS)
{
	if (!handled || inside != bpf_get_smp_processor_id() + 1)
		return 0;
	return others();
}
