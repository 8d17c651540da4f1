// SPDX-License-Identifier: GPL-2.0-only
/*
 * Installing and removing hooks. ftrace calls the handlers in entry.c on entry
 * to a hooked function; kprobe.c is used where ftrace can't hook.
 *
 * FTRACE_OPS_FL_PERMANENT: without it, `sysctl kernel.ftrace_enabled=0' would
 * silently switch the guard off. With it that sysctl answers EBUSY (since 7.3 it always does).
 *
 * FTRACE_OPS_FL_IPMODIFY, without SAVE_REGS: set for hooks that skip or replace
 * the function.
 *
 * FTRACE_OPS_FL_RECURSION is not set. ftrace's own recursion protection doubles
 * the cost of a hooked call, and it drops nested calls. A dropped call is a
 * destructor that runs in NMI.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/sched.h>

#include "compat.h"
#include "direct.h"
#include "hook.h"
#include "kprobe.h"
#include "lookup.h"
#include "params.h"

static bool uses_ftrace;

/* Add a function to the filter. *@address: where it is; if 0, it is found and stored. */
static int add_to_filter(struct ftrace_ops *ops, const char *function, unsigned long *address)
{
	int ret = 0;

	if (!*address)
		ret = function ? kng_lookup(function, address) : -ENOENT;
	if (!ret)
		ret = ftrace_set_filter_ip(ops, *address, 0, 0);
	/* The function is inlined, or marked notrace or noinstr. */
	return ret == -EINVAL ? -ENOENT : ret;
}

int kng_hook_probe(const char *function)
{
	struct ftrace_ops ops = {};
	unsigned long address = 0;
	int ret = add_to_filter(&ops, function, &address);

	ftrace_free_filter(&ops);
	return ret;
}

/* EAGAIN: a BPF trampoline that shares the function is being changed just now. */
#define MAX_TRIES	100

static int register_ops(struct ftrace_ops *ops)
{
	int tries, ret = -EAGAIN;

	for (tries = 0; ret == -EAGAIN && tries < MAX_TRIES; tries++) {
		if (tries)
			msleep(20);
		ret = register_ftrace_function(ops);
	}
	return ret;
}

const char *kng_hook_error_hint(int err)
{
	switch (err) {
	case -EBUSY:
		return "set sysctl kernel.ftrace_enabled=1 and load again";
	case -ENODEV:
		return "ftrace has shut itself down, see the log above; reboot";
	case -ENOMEM:
		return "no memory; free some and load again";
	default:
		return "see CONFIG_DYNAMIC_FTRACE and available_filter_functions";
	}
}

int __init kng_hook_init(void)
{
	int ret = kng_hook_probe("bpf_obj_free_fields");

	if (ret && ret != -ENOENT) {
		pr_err("nothing can be hooked (%d): %s\n", ret, kng_hook_error_hint(ret));
		return ret;
	}
	if (ret && kng_params.hook == KNG_HOOK_FTRACE) {
		pr_err("bpf_obj_free_fields is not in ftrace's available_filter_functions: load with hook=kprobe or hook=auto\n");
		return -EOPNOTSUPP;
	}
	uses_ftrace = !ret && kng_params.hook != KNG_HOOK_KPROBE;
	/* Armed kprobes share no function with unarmed ones. */
	if (!uses_ftrace)
		kng_lookup_init_done();
	if (kng_params.defer == KNG_DEFER_IRQSOFF && !uses_ftrace) {
		pr_err("defer=irqsoff has to skip functions, which kprobes can't: load with defer=nmi\n");
		return -EOPNOTSUPP;
	}
	if (kng_params.exact && !uses_ftrace) {
		pr_err("reserve=exact has to replace bpf_kptr_xchg, which kprobes can't: load with reserve=capacity\n");
		return -EOPNOTSUPP;
	}
	if (kng_params.defer == KNG_DEFER_IRQSOFF)
		kng_entry_defer_irqsoff();
	return 0;
}

bool kng_hook_uses_ftrace(void)
{
	return uses_ftrace;
}

/*
 * Add the functions of one mask to the filter. Sets @hook->hooked to those that were
 * added. With a group, notes where they are. Returns -ENOMEM or 0.
 */
static int add_functions(struct ftrace_ops *ops, struct kng_hook *hook, unsigned int mask,
			 struct kng_group *group)
{
	bool no_memory = false;
	unsigned int i;

	hook->hooked = 0;
	for (i = 0; i < KNG_HOOK_FUNCTIONS; i++) {
		unsigned long address = i ? 0 : hook->address;

		if (!(mask & BIT(i)))
			continue;
		hook->error[i] = add_to_filter(ops, hook->function[i], &address);
		no_memory |= hook->error[i] == -ENOMEM;
		if (hook->error[i])
			continue;
		hook->hooked |= BIT(i);
		if (group)
			group->member[group->nr++] = (struct kng_member) {
				address, hook->stub, hook };
	}
	return no_memory ? -ENOMEM : 0;
}

static void not_hooked(struct kng_hook *hook, int error)
{
	unsigned int i;

	for (i = 0; i < KNG_HOOK_FUNCTIONS; i++) {
		if (hook->hooked & BIT(i))
			hook->error[i] = error;
	}
	hook->hooked = 0;
}

/*
 * Hook functions of several hooks with one ops. The filter must be complete before the
 * ops is registered, because only registration prepares functions that BPF trampolines
 * already share.
 */
static int install(struct ftrace_ops *ops, ftrace_func_t handler, struct kng_hook **hook,
		   unsigned int nr, unsigned int mask, struct kng_group *group)
{
	unsigned int i, found = 0;
	int ret = 0;

	memset(ops, 0, sizeof(*ops));
	ops->func = handler;
	ops->flags = FTRACE_OPS_FL_PERMANENT;
	if (hook[0]->can_skip)
		ops->flags |= FTRACE_OPS_FL_IPMODIFY;

	for (i = 0; i < nr && !ret; i++) {
		hook[i]->group = group;
		ret = add_functions(ops, hook[i], mask, group);
		found |= hook[i]->hooked;
	}
	if (!ret)
		ret = found ? register_ops(ops) : -EOPNOTSUPP;
	if (!ret)
		return 0;

	/* ftrace had the ops in its list for a moment. Wait until no CPU uses it. */
	synchronize_rcu();
	/* The filter's hash is allocated even if the ops was never registered. */
	ftrace_free_filter(ops);
	for (i = 0; i < nr; i++)
		not_hooked(hook[i], ret);
	return ret;
}

static int install_mask(struct kng_hook *hook, unsigned int mask)
{
	return install(&hook->ops, kng_entry_handler(hook), &hook, 1, mask, NULL);
}

int kng_hook_install(struct kng_hook *hook)
{
	unsigned int i;
	int ret;

	hook->hooked = 0;
	hook->skips = hook->can_skip && uses_ftrace;
	if (!uses_ftrace)
		return kng_kprobe_install(hook);

	ret = kng_direct_install(hook) ? install_mask(hook, ~0U) : 0;
	if (ret != -EBUSY && ret != -EAGAIN)
		return ret;
	/* Another user holds one of them. Hook the first that is free. */
	for (i = 0; i < KNG_HOOK_FUNCTIONS && !hook->hooked && ret != -ENOMEM; i++) {
		if (hook->function[i])
			ret = install_mask(hook, BIT(i));
	}
	return ret;
}

int kng_hook_install_group(struct kng_group *group)
{
	unsigned int i;
	int ret = -EBUSY;

	if (uses_ftrace) {
		for (i = 0; i < group->nr_hooks; i++)
			group->hook[i]->skips = group->hook[i]->can_skip;
		group->nr = 0;
		ret = install(&group->ops, kng_entry_group_handler(group->hook[0]), group->hook,
			      group->nr_hooks, ~0U, group);
		if (ret != -EBUSY && ret != -EAGAIN)
			return ret;
	}
	/* Another user holds one of them, or these are kprobes: each for itself. */
	for (i = 0; i < group->nr_hooks; i++) {
		int err = kng_hook_install(group->hook[i]);

		if (err == -ENOMEM)
			return err;
		if (ret)
			ret = err;
	}
	return ret;
}

static int remove_ops(struct ftrace_ops *ops, const struct kng_hook *hook)
{
	int ret = hook->is_direct ? kng_direct_remove(ops, hook) : unregister_ftrace_function(ops);

	if (ret)
		return ret;
	ftrace_free_filter(ops);
	if (hook->enter)
		synchronize_rcu(); /* see enter() in entry.c */
	return 0;
}

static int remove_group(struct kng_group *group)
{
	unsigned int i;
	int ret = remove_ops(&group->ops, group->hook[0]);

	for (i = 0; i < group->nr_hooks && !ret; i++) {
		group->hook[i]->hooked = 0;
		group->hook[i]->group = NULL;
	}
	return ret;
}

int kng_hook_remove(struct kng_hook *hook)
{
	int ret = 0;

	if (!hook->hooked)
		return 0;
	if (hook->group)
		return remove_group(hook->group);
	if (uses_ftrace)
		ret = remove_ops(&hook->ops, hook);
	else
		kng_kprobe_remove(hook);
	if (!ret)
		hook->hooked = 0;
	return ret;
}

void kng_hook_remove_for_good(struct kng_hook *hook)
{
	int ret = kng_hook_remove(hook);

	if (!ret)
		return;
	pr_err("ftrace has shut itself down and can't remove hooks (%d): unloading waits for ever, because the kernel still calls the guard; reboot\n",
	       ret);
	for (;;)
		schedule_timeout_idle(MAX_SCHEDULE_TIMEOUT);
}

unsigned long kng_hook_missed(const struct kng_hook *hook)
{
	return kng_kprobe_missed(hook);
}
