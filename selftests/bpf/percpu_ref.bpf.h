/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's count of a cgroup, or of its part in a controller. */
#ifndef KNG_PERCPU_REF_BPF_H
#define KNG_PERCPU_REF_BPF_H

/* Both percpu_count_ptr bits: the count is one number, the cgroup is gone. */
#define PERCPU_REF_ATOMIC_DEAD 3

/* Negative: the references are still counted per CPU. */
static __always_inline int css_references(const struct cgroup_subsys_state *css)
{
	unsigned long bits = BPF_CORE_READ(css, refcnt.percpu_count_ptr);

	if ((bits & PERCPU_REF_ATOMIC_DEAD) != PERCPU_REF_ATOMIC_DEAD)
		return -EBUSY;
	return BPF_CORE_READ(css, refcnt.data, count.counter);
}

#endif /* KNG_PERCPU_REF_BPF_H */
