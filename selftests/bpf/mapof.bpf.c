// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps that could hold kptrs of a type each, and no program.
 */
#include "kng.bpf.h"

struct kng_foreign { struct refcount_struct refs; } __kernel_type;
typedef struct kng_foreign kptr_foreign;

/* Else the BTF has only their names, and the kernel wants structs. */
const struct task_struct *known_task;
const struct kng_foreign *known_foreign;

struct of_task {
	kptr_task __kptr *task;
};

struct of_foreign {
	kptr_foreign __kptr *obj;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} none SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct of_task);
} task SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct of_foreign);
} foreign SEC(".maps");
