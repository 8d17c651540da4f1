// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpf_get_task_stack() in NMI, of a task that dies meanwhile on another CPU. The helper
 * takes a reference to the task's stack, and drops it in the end. A second program runs
 * in between, and waits there until the task has dropped its own: so that the helper's is
 * the last. It does not wait for ever: where the NMI has interrupted a holder of
 * tasklist_lock, the task can't die.
 */
#include "kng.bpf.h"
#include "taskstack.h"

#define SPINS (1 << 18)		/* a few seconds in an emulator */

struct task_struct___stack { struct refcount_struct stack_refcount; } __kernel_type;

struct taskstack_ctl ctl;
static __u64 frames[16];

static __always_inline int references_of(__u64 task)
{
	return BPF_CORE_READ((struct task_struct___stack *)task, stack_refcount.refs.counter);
}

static long is_last(__u32 i, __u64 *task)
{
	return !ctl.ends || references_of(*task) == 1;
}

SEC("fentry/stack_trace_save_tsk")
int BPF_PROG(on_walk, struct task_struct *task)
{
	__u64 address = (__u64)task;

	if (!ctl.inside || task->pid != (int)ctl.pid)
		return 0;
	ctl.held = 1;
	bpf_loop(SPINS, is_last, &address, 0);
	if (references_of(address) == 1)
		count(last, 1);
	return 0;
}

static __always_inline void look(void)
{
	struct task_struct *task = bpf_task_from_pid(ctl.pid);

	if (!task) {
		count(failed, 1);
		return;
	}
	ctl.inside = 1;
	if (bpf_get_task_stack(task, frames, sizeof(frames), 0) < 0)
		count(failed, 1);
	ctl.inside = 0;
	bpf_task_release(task);
	count(looks, 1);
}

SEC(KNG_NMI_SECTION)
int BPF_PROG(on_nmi, KNG_NMI_ARGS)
{
	if (!handled)
		return 0;
	count(nmis, 1);
	if (__sync_val_compare_and_swap(&ctl.open, 1, 0) == 1)
		look();
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
