/* SPDX-License-Identifier: GPL-2.0-only */
/* An array of values with a kptr of each kind: filled, and torn down either way. */
#ifndef KNG_ARRAY_BPF_H
#define KNG_ARRAY_BPF_H

#include "value.bpf.h"

static int release_task(struct value *value)
{
	struct task_struct *task = bpf_kptr_xchg(&value->task, NULL);

	if (!task)
		return -ENOENT;
	bpf_task_release(task);
	return 0;
}

static int release_cgroup(struct value *value)
{
	struct cgroup *cgroup = bpf_kptr_xchg(&value->cgroup, NULL);

	if (!cgroup)
		return -ENOENT;
	bpf_cgroup_release(cgroup);
	return 0;
}

static int release_mask(struct value *value)
{
	struct bpf_cpumask *mask = bpf_kptr_xchg(&value->mask, NULL);

	if (!mask)
		return -ENOENT;
	bpf_cpumask_release(mask);
	return 0;
}

static int release_value(struct value *value)
{
	if (conf.kind == KNG_TASK)
		return release_task(value);
	if (conf.kind == KNG_CGROUP)
		return release_cgroup(value);
	return release_mask(value);
}

#include "tear.bpf.h"

static int store(__u32 slot, __u64 id)
{
	struct value *value = value_of(slot);

	return value ? store_value(value, slot, id) : -EINVAL;
}

#endif /* KNG_ARRAY_BPF_H */
