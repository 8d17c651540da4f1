// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deletes of local storage in NMI.
 *
 * On Linux 6.12 the helpers that delete the storage of a task or a cgroup call
 * call_rcu_tasks_trace(), whether the value holds a kptr or not. That takes locks, so in
 * NMI it can hang the machine. No destructor is involved, and there is nothing to defer:
 * the program gets the result at once. Newer kernels answer EOPNOTSUPP in NMI. So do we,
 * on all kernels: it is the same answer there.
 *
 * The hooks share the ftrace_ops of the release door: to remove one takes a grace period.
 *
 * The helpers for sockets refuse NMIs by themselves, and those for inodes belong to
 * programs that don't run there.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/preempt.h>

#include "count.h"
#include "hook.h"
#include "params.h"
#include "storage.h"

/* Runs in place of the helper. */
static u64 refuse_delete(u64 map, u64 owner, u64 r3, u64 r4, u64 r5)
{
	kng_uncount(KNG_BYPASSED);
	kng_entry_count();
	kng_count(KNG_REFUSED_NMI);
	return -EOPNOTSUPP;
}

#define HELPERS(...) {					\
	.function	= { __VA_ARGS__ },		\
	.nmi_only	= true,				\
	.stub		= (unsigned long)refuse_delete,	\
	.can_skip	= true,				\
}

static struct kng_hook hooks[] = {
	/* The second is for tracing programs, where the kernel has both. */
	HELPERS("bpf_task_storage_delete", "bpf_task_storage_delete_recur"),
	HELPERS("bpf_cgrp_storage_delete"),
};

static bool wanted(void)
{
	return kng_params.refuse_delete && kng_hook_uses_ftrace();
}

/* A function that the kernel does not have, or not for ftrace to hook, is not missed. */
static bool is_unhooked(const struct kng_hook *hook, unsigned int i)
{
	return hook->function[i] && !(hook->hooked & BIT(i)) && hook->error[i] != -ENOENT;
}

static void report_unhooked(const struct kng_hook *hook)
{
	unsigned int i;

	for (i = 0; i < KNG_HOOK_FUNCTIONS; i++) {
		if (is_unhooked(hook, i))
			pr_warn("%s can't be hooked (%d): programs that delete local storage in NMI can hang the machine\n",
				hook->function[i], hook->error[i]);
	}
}

void kng_storage_join(struct kng_group *group)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hooks) && wanted(); i++)
		kng_hook_join(group, &hooks[i]);
}

void kng_storage_report(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hooks) && wanted(); i++)
		report_unhooked(&hooks[i]);
}

unsigned int kng_storage_unhooked(void)
{
	unsigned int i, j, nr = 0;

	if (!wanted())
		return 0;
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		for (j = 0; j < KNG_HOOK_FUNCTIONS; j++)
			nr += is_unhooked(&hooks[i], j);
	}
	return nr;
}

const char *kng_storage_state(void)
{
	if (!wanted())
		return "left alone";
	return kng_storage_unhooked() ? "can't be hooked" : "refused in NMI";
}

void kng_storage_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		kng_hook_remove_for_good(&hooks[i]);
}
