/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's own reference count of an object that fill stored. */
#ifndef KNG_REFERENCES_BPF_H
#define KNG_REFERENCES_BPF_H

#include "percpu_ref.bpf.h"

/* How many references the object of a slot has; negative: still unknown. */
SEC("syscall")
int references(struct kng_arg *arg)
{
	__u32 slot = arg->slot;
	struct task_struct *task;
	struct cgroup *cgroup;
	__u64 object;

	if (slot >= KNG_SLOTS_MAX)
		return -EINVAL;
	object = ctl.object[slot];
	if (conf.kind == KNG_TASK) {
		task = (struct task_struct *)object;
		return BPF_CORE_READ(task, rcu_users.refs.counter);
	}
	if (conf.kind != KNG_CGROUP)
		return conf.copies;
	cgroup = (struct cgroup *)object;
	return css_references(&cgroup->self);
}

char LICENSE[] SEC("license") = "GPL";

#endif /* KNG_REFERENCES_BPF_H */
