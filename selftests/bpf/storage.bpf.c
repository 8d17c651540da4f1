// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local storage with a kptr of each kind or none, deleted in NMI. The owner of the
 * task storage is the test's own process, so NMIs elsewhere leave it alone;
 * that of the cgroup storage is the root cgroup, where all tasks are.
 */
#include "kng.bpf.h"

const volatile __u32 of_cgroup;
const volatile __s32 owner_pid;
const volatile struct kng_conf conf;
struct kng_ctl ctl;

#include "value.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct value);
} tasks SEC(".maps");

struct {
	__uint(type, MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct value);
} cgroups SEC(".maps");

/*
 * The loader deletes from it outside NMI, to be interrupted there. It makes
 * it a storage of the other kind: the one that is being deleted from is busy.
 */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} others SEC(".maps");

extern __ksym void bpf_rcu_read_lock(void);
extern __ksym void bpf_rcu_read_unlock(void);

static struct value *value_new(struct task_struct *task)
{
	if (of_cgroup)
		return bpf_cgrp_storage_get(&cgroups, task->cgroups->dfl_cgrp,
					    NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	return bpf_task_storage_get(&tasks, task, NULL,
				    BPF_LOCAL_STORAGE_GET_F_CREATE);
}

static int value_delete(struct task_struct *task)
{
	if (of_cgroup)
		return bpf_cgrp_storage_delete(&cgroups, task->cgroups->dfl_cgrp);
	return bpf_task_storage_delete(&tasks, task);
}

static int store(__u32 slot, __u64 id)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct value *value;
	int err;

	bpf_rcu_read_lock();
	/* Outside NMI a delete works, if only to say that there is nothing. */
	err = value_delete(task);
	if (err != -ENOENT) {
		bpf_rcu_read_unlock();
		return err ?: -EINVAL;
	}
	err = 0;
	value = value_new(task);
	if (!value)
		err = -ENOMEM;
	else if (conf.kind == KNG_NONE)
		count(created, 1);
	else
		err = store_value(value, slot, id);
	bpf_rcu_read_unlock();
	return err;
}

static int tear(__u32 slot)
{
	struct task_struct *task = bpf_get_current_task_btf();
	int err;

	if (!of_cgroup && task->pid != owner_pid)
		return -EBUSY;
	bpf_rcu_read_lock();
	err = value_delete(task);
	bpf_rcu_read_unlock();
	return err;
}

#include "exercise.bpf.h"
