// SPDX-License-Identifier: GPL-2.0-only
/*
 * References that are taken and given back within one NMI, never the last
 * one: that is safe on any kernel, and a guard must not spend a job on it.
 */
#include "kng.bpf.h"

#define PAIRS_PER_NMI 1000

const volatile __u64 id;	/* pid or cgroup id of an object that stays */
const volatile struct kng_conf conf;
struct kng_ctl ctl;

static long pair_of_task(__u32 i, void *unused)
{
	struct task_struct *task = bpf_task_from_pid(id);

	if (!task)
		return 1;
	remember(0, task);
	count(created, 1);
	bpf_task_release(task);
	return 0;
}

static long pair_of_cgroup(__u32 i, void *unused)
{
	struct cgroup *cgroup = bpf_cgroup_from_id(id);

	if (!cgroup)
		return 1;
	remember(0, cgroup);
	count(created, 1);
	bpf_cgroup_release(cgroup);
	return 0;
}

static void pairs(void)
{
	if (conf.kind == KNG_TASK)
		bpf_loop(PAIRS_PER_NMI, pair_of_task, NULL, 0);
	else
		bpf_loop(PAIRS_PER_NMI, pair_of_cgroup, NULL, 0);
}

SEC(KNG_NMI_SECTION)
int BPF_PROG(on_nmi, KNG_NMI_ARGS)
{
	if (!handled || !ctl.open)
		return 0;
	count(nmis, 1);
	pairs();
	return 0;
}

/* The same outside NMI: it also tells the loader where the object is. */
SEC("syscall")
int fill(struct kng_arg *arg)
{
	pairs();
	return ctl.object[0] ? 0 : -ESRCH;
}

SEC("syscall")
int sweep(void *ctx)
{
	return 0;
}

#include "references.bpf.h"

/* A cgroup that lives is counted for each CPU. What all of them have, together: */
extern const void __per_cpu_offset __ksym;
const volatile __u32 cpus;

SEC("syscall")
int counted(void *ctx)
{
	struct cgroup *cgroup = (struct cgroup *)ctl.object[0];
	unsigned long base, offset, n, sum = 0;
	__u32 cpu;

	base = BPF_CORE_READ(cgroup, self.refcnt.percpu_count_ptr);
	if (base & PERCPU_REF_ATOMIC_DEAD)
		return -EBUSY;
	for (cpu = 0; cpu < 64 && cpu < cpus; cpu++) {
		if (bpf_probe_read_kernel(&offset, sizeof(offset),
					  (const char *)&__per_cpu_offset + cpu * sizeof(offset)) ||
		    bpf_probe_read_kernel(&n, sizeof(n), (void *)(base + offset)))
			return -EINVAL;
		sum += n;
	}
	return sum;
}
