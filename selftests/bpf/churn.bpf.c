// SPDX-License-Identifier: GPL-2.0-only
/*
 * A map that could hold task kptrs. The loader makes more of them, by its types.
 * (Not by mapof's: types of a module among them would hold that.)
 */
#include "kng.bpf.h"

/* Else the BTF has only its name, and the kernel wants a struct. */
const struct task_struct *known_task;

struct value {
	kptr_task __kptr *task;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} task SEC(".maps");
