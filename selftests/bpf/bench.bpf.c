// SPDX-License-Identifier: GPL-2.0-only
/* Maps and programs for scripts/bench: values of none to eight kptrs, exchanges. */
#include "kng.bpf.h"

struct one {
	kptr_task __kptr *task;
};

struct two {
	kptr_task __kptr *a;
	kptr_task __kptr *b;
};

struct eight {
	kptr_task __kptr *a;
	kptr_task __kptr *b;
	kptr_task __kptr *c;
	kptr_task __kptr *d;
	kptr_task __kptr *e;
	kptr_task __kptr *f;
	kptr_task __kptr *g;
	kptr_task __kptr *h;
};

/* Else the BTF has only its name, and the kernel wants a struct. */
const struct task_struct *known_task;

#define MAP(name, kind, flags, value_type)		\
struct {						\
	__uint(type, kind);				\
	__uint(map_flags, flags);			\
	__uint(max_entries, 16);			\
	__type(key, __u32);				\
	__type(value, value_type);			\
} name SEC(".maps")

MAP(plain, BPF_MAP_TYPE_ARRAY, 0, __u64);
MAP(array1, BPF_MAP_TYPE_ARRAY, 0, struct one);
MAP(array2, BPF_MAP_TYPE_ARRAY, 0, struct two);
MAP(array8, BPF_MAP_TYPE_ARRAY, 0, struct eight);
MAP(plain_hash, BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC, __u64);
MAP(hash1, BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC, struct one);
MAP(prealloc, BPF_MAP_TYPE_HASH, 0, __u64);

#define PAIRS 16

static __always_inline int exchange(struct one *value)
{
	struct task_struct *task = bpf_kptr_xchg(&value->task, NULL);

	if (!task)
		return 0;
	task = bpf_kptr_xchg(&value->task, task);
	if (task)
		bpf_task_release(task);
	return 0;
}

/* A task in the slot, for the others to exchange. */
SEC("syscall")
int put_in(void *ctx)
{
	__u32 zero = 0;
	struct one *value = bpf_map_lookup_elem(&array1, &zero);
	struct task_struct *task = bpf_task_from_pid(1);

	if (!task)
		return 1;
	if (!value) {
		bpf_task_release(task);
		return 1;
	}
	task = bpf_kptr_xchg(&value->task, task);
	if (task)
		bpf_task_release(task);
	return 0;
}

SEC("syscall")
int no_pairs(void *ctx)
{
	__u32 zero = 0;

	return !bpf_map_lookup_elem(&array1, &zero);
}

SEC("syscall")
int pairs(void *ctx)
{
	__u32 zero = 0;
	struct one *value = bpf_map_lookup_elem(&array1, &zero);
	int i;

	if (!value)
		return 1;
#pragma unroll
	for (i = 0; i < PAIRS; i++)
		exchange(value);
	return 0;
}

/* What a program does in NMI: kng_bench calls these there. */
SEC("syscall")
int nothing(void *ctx)
{
	return 0;
}

SEC("syscall")
int update(void *ctx)
{
	struct one empty = {};
	__u32 zero = 0;

	return bpf_map_update_elem(&array1, &zero, &empty, BPF_ANY);
}

SEC("syscall")
int delete(void *ctx)
{
	__u32 zero = 0;

	return bpf_map_delete_elem(&hash1, &zero);
}

SEC("syscall")
int release(void *ctx)
{
	__u32 zero = 0;
	struct one *value = bpf_map_lookup_elem(&array1, &zero);
	struct task_struct *task;

	if (!value)
		return 1;
	task = bpf_kptr_xchg(&value->task, NULL);
	if (task)
		bpf_task_release(task);
	return 0;
}

char _license[] SEC("license") = "GPL";
