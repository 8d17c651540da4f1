/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's parameters: ranges, defaults, and the values in use.
 */
#ifndef KNG_PARAMS_H
#define KNG_PARAMS_H

#include <linux/types.h>

#define KNG_JOBS_DEFAULT	4096
#define KNG_JOBS_MIN		1
#define KNG_JOBS_MAX		1048576

#define KNG_HEADROOM_DEFAULT	2048

#define KNG_MAX_JOBS_DEFAULT	1048576
/* The pool's table can hold these and, in chunks of their own, those of `jobs'. */
#define KNG_MAX_JOBS_MAX	16769024

#define KNG_FLOOR_DEFAULT	1024
#define KNG_FLOOR_MAX		1048576

#define KNG_BUDGET_DEFAULT	64
#define KNG_BUDGET_MIN		1
#define KNG_BUDGET_MAX		65536

/**
 * enum kng_on_empty - what to do with a reference when the pool has no job
 * @KNG_LEAK: remove it from its slot and never drop it; the object and the
 *	module of its destructor stay for good
 * @KNG_INLINE: leave it to the kernel, which calls the destructor in NMI
 */
enum kng_on_empty {
	KNG_LEAK,
	KNG_INLINE,
};

/**
 * enum kng_teardown_mode - when to hook bpf_obj_free_fields()
 * @KNG_TEARDOWN_AUTO: as KNG_TEARDOWN_NEEDED, and when jobs run short. On kernels that
 *	free no references of maps in NMI, the same as KNG_TEARDOWN_NEEDED.
 * @KNG_TEARDOWN_ALWAYS: at load
 * @KNG_TEARDOWN_NEEDED: when the first map appears with a destructor that the
 *	release door does not guard, or with objects of bpf_obj_new()
 */
enum kng_teardown_mode {
	KNG_TEARDOWN_AUTO,
	KNG_TEARDOWN_ALWAYS,
	KNG_TEARDOWN_NEEDED,
};

/**
 * enum kng_hook_choice - which mechanism hooks functions
 * @KNG_HOOK_AUTO: ftrace, or kprobes where ftrace can't hook
 * @KNG_HOOK_FTRACE: ftrace only
 * @KNG_HOOK_KPROBE: kprobes only
 */
enum kng_hook_choice {
	KNG_HOOK_AUTO,
	KNG_HOOK_FTRACE,
	KNG_HOOK_KPROBE,
};

/**
 * enum kng_defer_choice - which calls are deferred
 * @KNG_DEFER_AUTO: those in NMI and, once there is a map of struct_ops or where it would
 *	not be seen, also those with interrupts off: a scheduler of sched_ext is called
 *	under the runqueue lock
 * @KNG_DEFER_NMI: those in NMI
 * @KNG_DEFER_IRQSOFF: those in NMI and those with interrupts off
 */
enum kng_defer_choice {
	KNG_DEFER_AUTO,
	KNG_DEFER_NMI,
	KNG_DEFER_IRQSOFF,
};

/**
 * struct kng_params - the parameters, checked
 * @jobs: number of jobs that the pool has at all times
 * @headroom: number of jobs beyond the references that maps have room for
 * @max_jobs: upper limit for the number of jobs
 * @floor: number of references to expect in local storage, and in objects
 * @budget: number of destructors that one irq_work run may call
 * @on_empty: what to do when the pool has no job
 * @teardown: when to hook bpf_obj_free_fields()
 * @hook: which mechanism hooks functions
 * @defer: which calls are deferred
 * @exact: count the references in maps, and refuse those that have no job
 * @shrink: keep jobs only for the references that were counted
 * @refuse_delete: refuse to delete local storage in NMI
 */
struct kng_params {
	unsigned int jobs;
	unsigned int headroom;
	unsigned int max_jobs;
	unsigned int floor;
	unsigned int budget;
	enum kng_on_empty on_empty;
	enum kng_teardown_mode teardown;
	enum kng_hook_choice hook;
	enum kng_defer_choice defer;
	bool exact;
	bool shrink;
	bool refuse_delete;
};

/* Written by kng_params_parse() only; constant once anything is hooked. */
extern struct kng_params kng_params;

/**
 * kng_params_parse() - check the parameters and fill kng_params
 *
 * The log names a value that is not possible, and the possible ones.
 *
 * Context: Task; at load, before anything else.
 * Return: 0 or -EINVAL.
 */
int kng_params_parse(void);

#endif /* KNG_PARAMS_H */
