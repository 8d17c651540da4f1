// SPDX-License-Identifier: GPL-2.0-only
/*
 * A map of task kptrs of any size, filled, emptied and counted by syscall
 * programs, and torn down in NMI, a window of slots at a time.
 *
 * shared: one subprogram with the only bpf_kptr_xchg(), for a kptr that has a
 * destructor and one to an object of bpf_obj_new().
 */
#include "kng.bpf.h"
#include "exact.h"

#define WINDOW 64

/* CPUs of a per-CPU map; 0: it isn't one. */
const volatile __u32 copies;

/* What NMIs do. */
__u32 nmi_mode, nmi_slots, nmi_next;
__u64 nmis;

struct value {
	kptr_task __kptr *task;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} slots SEC(".maps");

static int release(struct task_struct *task)
{
	if (!task)
		return 0;
	bpf_task_release(task);
	return 1;
}

static long store_in(struct value *v, struct exact_arg *arg)
{
	struct task_struct *task = bpf_task_from_pid(arg->pid);
	__u64 before, mine, after;

	if (!task) {
		arg->failed++;
		return 1;
	}
	mine = (__u64)task;
	before = (__u64)v->task;
	task = bpf_kptr_xchg(&v->task, task);
	after = (__u64)v->task;
	/* With the same task in the slot nobody can tell. */
	if ((__u64)task != mine || before == mine) {
		arg->stored++;
		if (after != mine)
			arg->changed++;
	} else {
		arg->refused++;
		if (after != before)
			arg->changed++;
	}
	release(task);
	return 0;
}

static struct value *find(__u32 key)
{
	struct value *v, empty = {};

	v = bpf_map_lookup_elem(&slots, &key);
	if (v)
		return v;
	bpf_map_update_elem(&slots, &key, &empty, BPF_NOEXIST);
	return bpf_map_lookup_elem(&slots, &key);
}

/* What bpf_loop() hands on has to be on the stack. */
static __always_inline void each(struct exact_arg *ctx,
				 long (*one)(__u32 i, struct exact_arg *arg))
{
	struct exact_arg arg = *ctx;

	bpf_loop(arg.n, one, &arg, 0);
	*ctx = arg;
}

static long fill_one(__u32 i, struct exact_arg *arg)
{
	__u32 key = arg->from + i, cpu;
	struct value *v = find(key);

	if (!v) {
		arg->failed++;
		return 0;
	}
	if (!copies)
		return store_in(v, arg);
	for (cpu = 0; cpu < 8 && cpu < copies; cpu++) {
		v = bpf_map_lookup_percpu_elem(&slots, &key, cpu);
		if (v)
			store_in(v, arg);
	}
	return 0;
}

SEC("syscall")
int fill(struct exact_arg *ctx)
{
	each(ctx, fill_one);
	return 0;
}

/* The shortest of programs, to be looked at. */
SEC("syscall")
int take_first(struct exact_arg *ctx)
{
	__u32 key = 0;
	struct value *v = bpf_map_lookup_elem(&slots, &key);

	return v ? release(bpf_kptr_xchg(&v->task, NULL)) : -ENOENT;
}

static long take_one(__u32 i, struct exact_arg *arg)
{
	__u32 key = arg->from + i;
	struct value *v = bpf_map_lookup_elem(&slots, &key);

	if (v)
		arg->taken += release(bpf_kptr_xchg(&v->task, NULL));
	return 0;
}

SEC("syscall")
int take(struct exact_arg *ctx)
{
	each(ctx, take_one);
	return 0;
}

static int tear_key(__u32 key, __u32 mode)
{
	struct value *v, empty = {};

	if (mode == EXACT_OVERWRITE)
		return bpf_map_update_elem(&slots, &key, &empty, BPF_ANY);
	if (mode == EXACT_DELETE)
		return bpf_map_delete_elem(&slots, &key);
	v = bpf_map_lookup_elem(&slots, &key);
	if (v)
		release(bpf_kptr_xchg(&v->task, NULL));
	return 0;
}

static long tear_one(__u32 i, struct exact_arg *arg)
{
	if (tear_key(arg->from + i, arg->pid))
		arg->failed++;
	else
		arg->torn++;
	return 0;
}

/* pid: the mode */
SEC("syscall")
int tear(struct exact_arg *ctx)
{
	each(ctx, tear_one);
	return 0;
}

static long count_one(__u32 i, struct exact_arg *arg)
{
	__u32 key = arg->from + i, cpu;
	struct value *v = bpf_map_lookup_elem(&slots, &key);

	if (!copies) {
		if (v && v->task)
			arg->full++;
		return 0;
	}
	for (cpu = 0; cpu < 8 && cpu < copies; cpu++) {
		v = bpf_map_lookup_percpu_elem(&slots, &key, cpu);
		if (v && v->task)
			arg->full++;
	}
	return 0;
}

/* Slots that are full, and what the task's own count is. */
SEC("syscall")
int tell(struct exact_arg *ctx)
{
	struct task_struct *task;

	each(ctx, count_one);
	task = bpf_task_from_pid(ctx->pid);
	if (task) {
		/* But ours. */
		ctx->users = BPF_CORE_READ(task, rcu_users.refs.counter) - 1;
		bpf_task_release(task);
	}
	ctx->nmis = nmis;
	return 0;
}

static long tear_in_nmi(__u32 i, __u32 *from)
{
	tear_key((*from + i) % nmi_slots, nmi_mode);
	return 0;
}

SEC(KNG_NMI_SECTION)
int BPF_PROG(on_nmi, KNG_NMI_ARGS)
{
	__u32 from;

	if (!handled || !nmi_mode || !nmi_slots)
		return 0;
	__sync_fetch_and_add(&nmis, 1);
	from = __sync_fetch_and_add(&nmi_next, WINDOW);
	bpf_loop(nmi_slots < WINDOW ? nmi_slots : WINDOW, tear_in_nmi, &from, 0);
	return 0;
}

/* pid: the mode */
SEC("syscall")
int arm(struct exact_arg *ctx)
{
	nmi_slots = ctx->n;
	nmi_mode = ctx->pid;
	return 0;
}

struct holder {
	__u64 unused;
};

typedef struct holder kptr_holder;

struct of_object {
	kptr_holder __kptr *holder;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct of_object);
} objects SEC(".maps");

extern void *bpf_obj_new_impl(__u64 type, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *obj, void *meta) __ksym;

static __noinline void *exchange(void *slot, void *new)
{
	return bpf_kptr_xchg(slot, new);
}

/* n: what the objects' slot is to hold afterwards, an object or none. */
SEC("syscall")
int shared(struct exact_arg *ctx)
{
	__u32 key = ctx->from;
	struct task_struct *task;
	struct holder *holder;
	struct of_object *o;
	struct value *v;

	v = bpf_map_lookup_elem(&slots, &key);
	o = bpf_map_lookup_elem(&objects, &key);
	if (!v || !o)
		return -EINVAL;
	task = bpf_task_from_pid(ctx->pid);
	if (!task)
		return -ESRCH;
	ctx->stored++;
	task = exchange(&v->task, task);
	if (task) {
		ctx->taken++;
		bpf_task_release(task);
	}
	holder = bpf_obj_new_impl(bpf_core_type_id_local(struct holder), NULL);
	if (!holder)
		return -ENOMEM;
	ctx->stored++;
	holder = exchange(&o->holder, holder);
	if (holder) {
		ctx->taken++;
		bpf_obj_drop_impl(holder, NULL);
	}
	return 0;
}

/* Somebody who traces the exchange: calls, and those that returned what they got. */
__u64 seen_calls, seen_refused;

SEC("fexit/bpf_kptr_xchg")
int BPF_PROG(seen, __u64 dst, __u64 ptr, __u64 r3, __u64 r4, __u64 r5, __u64 ret)
{
	__sync_fetch_and_add(&seen_calls, 1);
	if (ptr && ret == ptr)
		__sync_fetch_and_add(&seen_refused, 1);
	return 0;
}

SEC("syscall")
int seen_told(struct exact_arg *ctx)
{
	ctx->stored = seen_calls;
	ctx->refused = seen_refused;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
