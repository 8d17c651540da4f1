// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs for kptr-nmi-guard exposure to find. They never do what they could: the
 * loader leaves `go' 0, and the kernel can't know.
 */
#include "kng.bpf.h"

struct value {
	kptr_task __kptr *task;
};

const struct task_struct *known_task;

#define MAP(name, kind, flags)				\
struct {						\
	__uint(type, kind);				\
	__uint(map_flags, flags);			\
	__uint(max_entries, 8);				\
	__type(key, __u32);				\
	__type(value, struct value);			\
} name SEC(".maps")

MAP(exp_array, BPF_MAP_TYPE_ARRAY, 0);
MAP(exp_lru, BPF_MAP_TYPE_LRU_HASH, 0);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u64);
} exp_plain SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} exp_storage SEC(".maps");

/* The same array, in a map of maps */
struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct value);
} exp_inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct inner);
} exp_outer SEC(".maps") = {
	.values = { [1] = &exp_inner },
};

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} exp_calls SEC(".maps");

int go;

static int update(void)
{
	struct value nothing = {};
	__u32 key = 0;

	return go ? bpf_map_update_elem(&exp_array, &key, &nothing, 0) : 0;
}

static int release(void)
{
	struct task_struct *task;
	struct value *value;
	__u32 key = 0;

	value = bpf_map_lookup_elem(&exp_array, &key);
	if (!value || !go)
		return 0;
	task = bpf_kptr_xchg(&value->task, NULL);
	if (task)
		bpf_task_release(task);
	return 0;
}

SEC("tp_btf/nmi_handler")
int BPF_PROG(on_update, void *handler, __s64 delta_ns, int handled)
{
	return update() ? 0 : 0;
}

SEC("tp_btf/nmi_handler")
int BPF_PROG(on_release, void *handler, __s64 delta_ns, int handled)
{
	return release();
}

SEC("tp_btf/nmi_handler")
int BPF_PROG(on_lru, void *handler, __s64 delta_ns, int handled)
{
	__u32 key = 0;

	if (go)
		bpf_map_delete_elem(&exp_lru, &key);
	return 0;
}

/* Holds no kptr, and its deletion hangs 6.12 all the same. */
SEC("tp_btf/nmi_handler")
int BPF_PROG(on_storage, void *handler, __s64 delta_ns, int handled)
{
	if (go)
		bpf_task_storage_delete(&exp_storage, bpf_get_current_task_btf());
	return 0;
}

/* In NMI as well, and harmless: its map owns nothing. */
SEC("tp_btf/nmi_handler")
int BPF_PROG(on_plain, void *handler, __s64 delta_ns, int handled)
{
	__u64 one = 1;
	__u32 key = 0;

	if (go)
		bpf_map_update_elem(&exp_plain, &key, &one, 0);
	return 0;
}

SEC("perf_event")
int on_perf_event(void *ctx)
{
	return update() ? 0 : 0;
}

/* What it empties is not among its maps, but in one of them. */
SEC("tp_btf/nmi_handler")
int BPF_PROG(on_inner, void *handler, __s64 delta_ns, int handled)
{
	struct value nothing = {};
	__u32 key = 1;
	void *inner;

	inner = bpf_map_lookup_elem(&exp_outer, &key);
	if (inner && go)
		bpf_map_update_elem(inner, &key, &nothing, 0);
	return 0;
}

/* Drops nothing; what it calls does, and is attached nowhere. */
SEC("tp/nmi/nmi_handler")
int on_tail(void *ctx)
{
	if (go)
		bpf_tail_call(ctx, &exp_calls, 1);
	return 0;
}

SEC("tp/nmi/nmi_handler")
int on_tail_called(void *ctx)
{
	return update() ? 0 : 0;
}

/* Called by the handler of a hardware counter's NMI */
SEC("fentry/perf_event_overflow")
int BPF_PROG(on_fentry)
{
	return update() ? 0 : 0;
}

SEC("kprobe/perf_event_overflow")
int on_kprobe(void *ctx)
{
	return update() ? 0 : 0;
}

SEC("kprobe.multi/perf_event_overflow")
int on_multi(void *ctx)
{
	return update() ? 0 : 0;
}

/* Not in NMI, but with interrupts off. */
SEC("perf_event")
int on_software(void *ctx)
{
	return update() ? 0 : 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_sched, int preempt, void *prev, void *next)
{
	return release();
}

/* Does the same as the first, but never in NMI. */
SEC("tp_btf/sys_enter")
int BPF_PROG(on_syscall, void *regs, long id)
{
	return update() ? 0 : 0;
}

char LICENSE[] SEC("license") = "GPL";
