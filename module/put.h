/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Puts that can't be the last one.
 */
#ifndef KNG_PUT_H
#define KNG_PUT_H

#include <linux/atomic.h>
#include <linux/sched.h>
#include <linux/types.h>

/**
 * kng_put_task_not_last() - drop a reference to a task, unless it may be the last one
 * @obj: the task
 *
 * The kernel's put is refcount_dec_and_test(&p->rcu_users), followed by call_rcu() if
 * that returns true (put_task_struct_rcu_user() in kernel/exit.c, 6.8 to 7.3). This
 * decrements in the same way, but only counts above 1. All others are left to the
 * kernel's put, later, in a job: 1; 0, of which it warns; and saturated counts, which are
 * negative. (refcount_dec_not_one() would warn here, in NMI, and takes twice the
 * instructions.)
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 * Return: true if the reference was dropped.
 */
static inline bool kng_put_task_not_last(void *obj)
{
	atomic_t *refs = &((struct task_struct *)obj)->rcu_users.refs;
	int old = atomic_read(refs);

	do {
		if (old <= 1)
			return false;
	} while (!atomic_try_cmpxchg_release(refs, &old, old - 1));
	return true;
}

/**
 * kng_get_task() - take one more reference to a task
 * @obj: the task; the caller has a reference
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 */
void kng_get_task(void *obj);

#ifdef CONFIG_CGROUPS
/**
 * kng_put_cgroup_not_last() - drop a reference to a cgroup, unless it may be the last
 * @obj: the cgroup
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 * Return: true if the reference was dropped.
 */
bool kng_put_cgroup_not_last(void *obj);

/**
 * kng_get_cgroup() - take one more reference to a cgroup
 * @obj: the cgroup; the caller has a reference
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 */
void kng_get_cgroup(void *obj);
#endif

#ifdef CONFIG_MEMCG
/**
 * kng_put_mem_cgroup() - drop a reference to a memory cgroup
 * @obj: the memory cgroup
 *
 * Does what bpf_put_mem_cgroup() does. The kernel has no destructor for this type.
 *
 * Context: Task, softirq or hardirq; never NMI.
 */
void kng_put_mem_cgroup(void *obj);

/**
 * kng_put_mem_cgroup_not_last() - drop a reference to a memory cgroup, unless it may be
 *	the last
 * @obj: the memory cgroup
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 * Return: true if the reference was dropped.
 */
bool kng_put_mem_cgroup_not_last(void *obj);

/**
 * kng_get_mem_cgroup() - take one more reference to a memory cgroup
 * @obj: the memory cgroup; the caller has a reference
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 */
void kng_get_mem_cgroup(void *obj);
#endif

#endif /* KNG_PUT_H */
