/* SPDX-License-Identifier: GPL-2.0-only */
/* A map value with a kptr of each kind, and how a reference gets into it. */
#ifndef KNG_VALUE_BPF_H
#define KNG_VALUE_BPF_H

struct value {
	kptr_task __kptr *task;
	kptr_cgroup __kptr *cgroup;
	kptr_cpumask __kptr *mask;
};

static int store_task(struct value *value, __u32 slot, __u64 id)
{
	struct task_struct *task = bpf_task_from_pid(id);

	if (!task)
		return -ESRCH;
	remember(slot, task);
	task = bpf_kptr_xchg(&value->task, task);
	if (task) {
		count(replaced, 1);
		bpf_task_release(task);
	}
	return 0;
}

static int store_cgroup(struct value *value, __u32 slot, __u64 id)
{
	struct cgroup *cgroup = bpf_cgroup_from_id(id);

	if (!cgroup)
		return -ESRCH;
	remember(slot, cgroup);
	cgroup = bpf_kptr_xchg(&value->cgroup, cgroup);
	if (cgroup) {
		count(replaced, 1);
		bpf_cgroup_release(cgroup);
	}
	return 0;
}

static int store_mask(struct value *value)
{
	struct bpf_cpumask *mask = bpf_cpumask_create();

	if (!mask)
		return -ENOMEM;
	mask = bpf_kptr_xchg(&value->mask, mask);
	if (mask) {
		count(replaced, 1);
		bpf_cpumask_release(mask);
	}
	return 0;
}

static int store_value(struct value *value, __u32 slot, __u64 id)
{
	int err;

	if (conf.kind == KNG_TASK)
		err = store_task(value, slot, id);
	else if (conf.kind == KNG_CGROUP)
		err = store_cgroup(value, slot, id);
	else
		err = store_mask(value);
	if (!err)
		count(created, 1);
	return err;
}

#endif /* KNG_VALUE_BPF_H */
