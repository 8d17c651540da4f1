/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's own reference count of an object that fill stored. */
#ifndef KNG_REFERENCES_BPF_H
#define KNG_REFERENCES_BPF_H

/* Both percpu_count_ptr bits: the count is one number, the cgroup is gone. */
#define PERCPU_REF_ATOMIC_DEAD 3

/* How many references the object of a slot has; negative: still unknown. */
SEC("syscall")
int references(struct kng_arg *arg)
{
	__u32 slot = arg->slot;
	struct task_struct *task;
	struct cgroup *cgroup;
	unsigned long bits;
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
	bits = BPF_CORE_READ(cgroup, self.refcnt.percpu_count_ptr);
	if ((bits & PERCPU_REF_ATOMIC_DEAD) != PERCPU_REF_ATOMIC_DEAD)
		return -EBUSY;
	return BPF_CORE_READ(cgroup, self.refcnt.data, count.counter);
}

char LICENSE[] SEC("license") = "GPL";

#endif /* KNG_REFERENCES_BPF_H */
