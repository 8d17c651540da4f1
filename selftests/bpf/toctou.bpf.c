// SPDX-License-Identifier: GPL-2.0-only
/*
 * One CPU stores task kptrs into array slots as fast as it can while NMIs
 * overwrite the same slots on the others: each reference is given back either
 * by the storer, who finds it in its way, or by a destructor.
 */
/* Since Linux 6.10 <linux/bpf.h> has one, too. The kernel knows it by its name. */
#define bpf_wq bpf_wq_of_header
#include "kng.bpf.h"
#undef bpf_wq

#define STORES_PER_RUN 50000

/* Two records: a kptr alone, and one among fields with teardown of their own. */
const volatile __u32 special;
const volatile struct kng_conf conf;
struct kng_ctl ctl;

struct bpf_wq {
	__u64 opaque[2];
} __attribute__((aligned(8)));

struct plain {
	kptr_task __kptr *task;
};

struct mixed {
	kptr_task __kptr *task;
	struct bpf_timer timer;
	struct bpf_wq wq;
	struct bpf_spin_lock lock;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KNG_SLOTS_MAX);
	__type(key, __u32);
	__type(value, struct plain);
} plain SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KNG_SLOTS_MAX);
	__type(key, __u32);
	__type(value, struct mixed);
} mixed SEC(".maps");

static struct task_struct *swap(__u32 slot, struct task_struct *task)
{
	struct plain *p;
	struct mixed *m;

	if (special) {
		m = bpf_map_lookup_elem(&mixed, &slot);
		return m ? bpf_kptr_xchg(&m->task, task) : task;
	}
	p = bpf_map_lookup_elem(&plain, &slot);
	return p ? bpf_kptr_xchg(&p->task, task) : task;
}

static long store_one(__u32 i, __u64 *id)
{
	struct task_struct *task = bpf_task_from_pid(*id);

	if (!task)
		return 1;
	remember(0, task);
	count(created, 1);
	task = swap(i % conf.slots, task);
	if (task) {
		count(replaced, 1);
		bpf_task_release(task);
	}
	return 0;
}

/* No slot has a state here: both sides go as they like. */
static long overwrite(__u32 slot, void *unused)
{
	struct plain no_plain = {};
	struct mixed no_mixed = {};
	long err;

	err = special ?
	      bpf_map_update_elem(&mixed, &slot, &no_mixed, BPF_ANY) :
	      bpf_map_update_elem(&plain, &slot, &no_plain, BPF_ANY);
	if (err)
		count(failed, 1);
	return 0;
}

SEC(KNG_NMI_SECTION)
int BPF_PROG(on_nmi, KNG_NMI_ARGS)
{
	if (!handled)
		return 0;
	count(nmis, 1);
	if (ctl.open)
		bpf_loop(conf.slots, overwrite, NULL, 0);
	return 0;
}

SEC("syscall")
int fill(struct kng_arg *arg)
{
	__u64 id = arg->id;

	return bpf_loop(STORES_PER_RUN, store_one, &id, 0) == STORES_PER_RUN ?
	       0 : -ESRCH;
}

SEC("syscall")
int sweep(void *ctx)
{
	bpf_loop(conf.slots, overwrite, NULL, 0);
	return 0;
}

#include "references.bpf.h"
