// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reference sits in an object of the program's own, and that sits in the
 * map. In NMI the object goes: by bpf_obj_drop() in the program, or with the
 * map's value around it.
 */
#include "kng.bpf.h"

const volatile struct kng_conf conf;
struct kng_ctl ctl;

struct holder {
	kptr_task __kptr *task;
};

typedef struct holder kptr_holder;

struct value {
	kptr_holder __kptr *holder;
};

extern void *bpf_obj_new_impl(__u64 type, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *obj, void *meta) __ksym;

static struct holder *holder_new(__u32 slot, __u64 id)
{
	struct task_struct *task;
	struct holder *holder;

	holder = bpf_obj_new_impl(bpf_core_type_id_local(struct holder), NULL);
	if (!holder)
		return NULL;
	task = bpf_task_from_pid(id);
	if (!task) {
		bpf_obj_drop_impl(holder, NULL);
		return NULL;
	}
	remember(slot, task);
	task = bpf_kptr_xchg(&holder->task, task);
	if (task)
		bpf_task_release(task);
	return holder;
}

static int release_value(struct value *value)
{
	struct holder *holder = bpf_kptr_xchg(&value->holder, NULL);

	if (!holder)
		return -ENOENT;
	bpf_obj_drop_impl(holder, NULL);
	return 0;
}

#include "tear.bpf.h"

static int store(__u32 slot, __u64 id)
{
	struct holder *holder = holder_new(slot, id);
	struct value *value;

	if (!holder)
		return -ESRCH;
	value = value_of(slot);
	if (!value) {
		bpf_obj_drop_impl(holder, NULL);
		return -EINVAL;
	}
	count(created, 1);
	holder = bpf_kptr_xchg(&value->holder, holder);
	if (holder)
		bpf_obj_drop_impl(holder, NULL);
	return 0;
}

#include "exercise.bpf.h"
