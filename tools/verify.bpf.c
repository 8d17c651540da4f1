// SPDX-License-Identifier: GPL-2.0-only
/*
 * Puts references to the loader itself and cpumasks into an array, and drops them where
 * no destructor may run. None of them is ever the last one of a task: the loader lives.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "verify.h"

#define __kernel_type __attribute__((preserve_access_index))
#ifndef __kptr
#define __kptr __attribute__((btf_type_tag("kptr")))
#endif

struct counter { int counter; } __kernel_type;
struct refcount_struct { struct counter refs; } __kernel_type;
struct task_struct { struct refcount_struct rcu_users; } __kernel_type;
struct bpf_cpumask { unsigned int usage; } __kernel_type;

/* clang 14 loses the tag of a pointer to a struct; a typedef keeps it. */
typedef struct task_struct kptr_task;
typedef struct bpf_cpumask kptr_mask;

extern struct task_struct *bpf_task_acquire(struct task_struct *p) __ksym;
extern void bpf_task_release(struct task_struct *p) __ksym;
extern __ksym struct bpf_cpumask *bpf_cpumask_create(void);
extern void bpf_cpumask_release(struct bpf_cpumask *mask) __ksym;

struct value {
	kptr_task __kptr *task;
	kptr_mask __kptr *mask;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VERIFY_SLOTS);
	__type(key, __u32);
	__type(value, struct value);
} kng_verify SEC(".maps");

struct verify_shared shared;

static void put_task(struct value *value, struct task_struct *task)
{
	task = bpf_kptr_xchg(&value->task, task);
	if (task)
		bpf_task_release(task);
}

static void put_mask(struct value *value, struct bpf_cpumask *mask)
{
	mask = bpf_kptr_xchg(&value->mask, mask);
	if (mask)
		bpf_cpumask_release(mask);
}

static int users_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, rcu_users.refs.counter);
}

/* Each of these is called by bpf_loop() for each slot; 1 ends the loop. */
static long fill_slot(__u32 slot, void *unused)
{
	struct value *value = bpf_map_lookup_elem(&kng_verify, &slot);
	struct task_struct *task;
	struct bpf_cpumask *mask;

	task = value ? bpf_task_acquire(bpf_get_current_task_btf()) : NULL;
	if (!task)
		return 1;
	put_task(value, task);
	mask = bpf_cpumask_create();
	if (!mask)
		return 1;
	put_mask(value, mask);
	return 0;
}

static long empty_slot(__u32 slot, void *unused)
{
	struct value *value = bpf_map_lookup_elem(&kng_verify, &slot);

	if (!value)
		return 1;
	put_task(value, NULL);
	put_mask(value, NULL);
	return 0;
}

static long drop_slot(__u32 slot, void *unused)
{
	struct value nothing = {}, *value;
	struct task_struct *task;

	if (slot < VERIFY_UPDATED) {
		if (bpf_map_update_elem(&kng_verify, &slot, &nothing, 0))
			shared.errors++;
		else
			shared.torn++;
		return 0;
	}
	value = bpf_map_lookup_elem(&kng_verify, &slot);
	task = value ? bpf_kptr_xchg(&value->task, NULL) : NULL;
	if (!task) {
		shared.errors++;
		return 0;
	}
	bpf_task_release(task);
	shared.released++;
	return 0;
}

/* In task context: a reference and a mask for each slot. */
SEC("syscall")
int fill(void *ctx)
{
	if (bpf_loop(VERIFY_SLOTS, fill_slot, NULL, 0) != VERIFY_SLOTS)
		return 1;
	__sync_val_compare_and_swap(&shared.state, VERIFY_IDLE, VERIFY_FILLED);
	return 0;
}

/* In task context: all that is left, and how many references there are then. */
SEC("syscall")
int empty(void *ctx)
{
	if (bpf_loop(VERIFY_SLOTS, empty_slot, NULL, 0) != VERIFY_SLOTS)
		return 1;
	shared.users = users_of(bpf_get_current_task_btf());
	return 0;
}

/* Where no destructor may run. */
static int drop(void)
{
	if (bpf_get_current_pid_tgid() >> 32 != shared.tgid ||
	    __sync_val_compare_and_swap(&shared.state, VERIFY_FILLED, VERIFY_BUSY) !=
	    VERIFY_FILLED)
		return 0;
	bpf_loop(VERIFY_SLOTS, drop_slot, NULL, 0);
	shared.rounds++;
	shared.state = VERIFY_DROPPED;
	return 0;
}

SEC("perf_event")
int on_perf_event(void *ctx)
{
	return drop();
}

/* Not an NMI: interrupts are off and the runqueue is locked. */
SEC("tp_btf/sched_switch")
int BPF_PROG(on_sched_switch, int preempt, void *prev, void *next)
{
	return drop();
}

char LICENSE[] SEC("license") = "GPL";
