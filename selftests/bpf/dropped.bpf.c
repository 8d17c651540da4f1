// SPDX-License-Identifier: GPL-2.0-only
/*
 * Array values with kptrs, overwritten or released at the bottom of nested
 * ftrace handlers in NMI (kng_drop.ko).
 */
#define KNG_NMI_PROGRAM_ELSEWHERE
#include "kng.bpf.h"

const volatile __u32 by_release;
const volatile struct kng_conf conf;
struct kng_ctl ctl;

#include "value.bpf.h"

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
	struct task_struct *task;

	if (!by_release)
		return bpf_map_update_elem(&slots, &slot, &empty, BPF_ANY);
	value = bpf_map_lookup_elem(&slots, &slot);
	task = value ? bpf_kptr_xchg(&value->task, NULL) : NULL;
	if (!task)
		return -ENOENT;
	bpf_task_release(task);
	return 0;
}

#include "exercise.bpf.h"

SEC("fentry/kng_drop_bottom")
int BPF_PROG(on_bottom)
{
	return nmi();
}
