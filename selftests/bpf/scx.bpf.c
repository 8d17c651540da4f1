// SPDX-License-Identifier: GPL-2.0-only
/*
 * A scheduler of sched_ext that gives references back where the kernel calls it: under
 * the runqueue's lock. It leaves the order of tasks to the kernel (one queue, first in,
 * first out) and keeps cgroups in maps, as schedulers do that account for them:
 *
 *   stopping   the array's references go as a task stops running
 *   exit_task  each child of the loader takes a reference from the array into its storage, which
 *              is deleted when the task ends
 */
#include <stdbool.h>

#define KNG_NMI_PROGRAM_ELSEWHERE
#include "kng.bpf.h"

const volatile struct kng_conf conf;
const volatile __u32 at_exit;	/* of tasks; else as they stop running */
const volatile __u32 loader;	/* its pid */
struct kng_ctl ctl;

#include "array.bpf.h"
#include "exercise.bpf.h"

struct scx_init_task_args { bool fork; } __kernel_type;
struct scx_exit_task_args { bool cancelled; } __kernel_type;

/* Only what is set here; libbpf matches it with the kernel's by name. */
struct sched_ext_ops {
	void (*stopping)(struct task_struct *p, bool runnable);
	__s32 (*init_task)(struct task_struct *p, struct scx_init_task_args *args);
	void (*exit_task)(struct task_struct *p, struct scx_exit_task_args *args);
	char name[128];
};

struct owned {
	kptr_cgroup __kptr *cgroup;
	__u32 slot;
	__u32 full;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct owned);
} owned SEC(".maps");

/* Moves the reference of a slot into a task's storage. */
static int move(struct owned *to, __u32 slot)
{
	struct value *from = value_of(slot);
	struct cgroup *cgroup;

	if (!from)
		return -EINVAL;
	cgroup = bpf_kptr_xchg(&from->cgroup, NULL);
	if (!cgroup)
		return -ENOENT;
	cgroup = bpf_kptr_xchg(&to->cgroup, cgroup);
	if (cgroup)
		bpf_cgroup_release(cgroup);
	to->slot = slot;
	to->full = 1;
	return 0;
}

struct taking {
	struct task_struct *task;
	__u32 slot;
};

static long find_slot(__u32 slot, struct taking *taking)
{
	if (slot >= KNG_SLOTS_MAX)
		return 1;
	if (__sync_val_compare_and_swap(&ctl.state[slot], KNG_LIVE, KNG_BUSY) != KNG_LIVE)
		return 0;
	taking->slot = slot;
	return 1;
}

SEC("struct_ops/init_task")
int BPF_PROG(init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct taking taking = { .slot = KNG_SLOTS_MAX };
	struct owned *to;
	int err = -ENOMEM;

	/* Only children of the loader: they end soon. */
	if (!at_exit || !ctl.open || bpf_get_current_pid_tgid() >> 32 != loader)
		return 0;
	bpf_loop(conf.slots, find_slot, &taking, 0);
	if (taking.slot >= KNG_SLOTS_MAX)
		return 0;
	to = bpf_task_storage_get(&owned, p, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (to)
		err = move(to, taking.slot);
	if (err)
		ctl.state[taking.slot & (KNG_SLOTS_MAX - 1)] = KNG_LIVE;
	return 0;
}

SEC("struct_ops/exit_task")
void BPF_PROG(exit_task, struct task_struct *p, struct scx_exit_task_args *args)
{
	struct owned *from;
	__u32 slot;

	if (!at_exit)
		return;
	from = bpf_task_storage_get(&owned, p, NULL, 0);
	if (!from || !from->full)
		return;
	slot = from->slot;
	count(nmis, 1);
	if (slot < KNG_SLOTS_MAX)
		settle(slot, bpf_task_storage_delete(&owned, p));
}

SEC("struct_ops/stopping")
void BPF_PROG(stopping, struct task_struct *p, bool runnable)
{
	if (!at_exit)
		nmi();
}

SEC(".struct_ops")
struct sched_ext_ops kng_scx = {
	.stopping = (void *)stopping,
	.init_task = (void *)init_task,
	.exit_task = (void *)exit_task,
	.name = "kng",
};
