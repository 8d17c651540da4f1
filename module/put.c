// SPDX-License-Identifier: GPL-2.0-only
/*
 * Puts that can't be the last one. These functions copy what the kernel's own puts do
 * to the reference count, so they are used only on kernels whose puts were read
 * (KNG_PUTS_ARE_KNOWN).
 */
#include <linux/cgroup.h>
#include <linux/memcontrol.h>
#include <linux/refcount.h>
#include <linux/sched.h>

#include "put.h"

void kng_get_task(void *obj)
{
	struct task_struct *p = obj;

	refcount_inc(&p->rcu_users);
}

#ifdef CONFIG_CGROUPS
/*
 * The kernel's put does nothing if CSS_NO_REF is set. Otherwise it is percpu_ref_put()
 * (css_put() in linux/cgroup_refcnt.h, 6.8 to 7.3). While the percpu_ref is in per-CPU
 * mode, a put decrements the count of this CPU and tests nothing. The initial
 * reference is still held then, so no put is the last one. As in percpu_ref_put_many(),
 * RCU keeps the mode: the switch to atomic mode adds the per-CPU counts up only after a
 * grace period.
 */
static bool put_css_not_last(struct cgroup_subsys_state *css)
{
	unsigned long __percpu *count;
	bool percpu;

	if (css->flags & CSS_NO_REF)
		return true;
	rcu_read_lock();
	percpu = __ref_is_percpu(&css->refcnt, &count);
	if (percpu)
		this_cpu_dec(*count);
	rcu_read_unlock();
	return percpu;
}

bool kng_put_cgroup_not_last(void *obj)
{
	return put_css_not_last(&((struct cgroup *)obj)->self);
}

void kng_get_cgroup(void *obj)
{
	css_get(&((struct cgroup *)obj)->self);
}
#endif

#ifdef CONFIG_MEMCG
/* bpf_put_mem_cgroup() in mm/bpf_memcontrol.c is just this. */
void kng_put_mem_cgroup(void *obj)
{
	css_put(&((struct mem_cgroup *)obj)->css);
}

bool kng_put_mem_cgroup_not_last(void *obj)
{
	return put_css_not_last(&((struct mem_cgroup *)obj)->css);
}

void kng_get_mem_cgroup(void *obj)
{
	css_get(&((struct mem_cgroup *)obj)->css);
}
#endif
