// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hook: has ftrace call us (entry.c) on entry to a function. (kprobe.c does
 * where ftrace can't.)
 *
 * FTRACE_OPS_FL_PERMANENT: else `sysctl kernel.ftrace_enabled=0' would switch
 * the guard off without a word; now it answers EBUSY.
 *
 * FTRACE_OPS_FL_IPMODIFY, without SAVE_REGS, for hooks that skip the function.
 *
 * No FTRACE_OPS_FL_RECURSION: ftrace's own recursion protection doubles the
 * cost of a hooked call and, where a nested call comes in, drops it. A dropped
 * call is a destructor in NMI.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/sched.h>

#include "compat.h"
#include "entry.h"
#include "hook.h"
#include "kprobe.h"

enum kng_hook_kind kng_hook_kind;

/*
 * Where a function is, from a kprobe that is never armed. ftrace takes names,
 * too, but where Linux 6.12 has no memory for what the name matched,
 * ftrace_set_filter() returns 0 and leaves the filter empty; and an empty filter
 * is each function of the kernel.
 */
static int find(const char *function, unsigned long *address)
{
	struct kprobe kp = {
		.symbol_name	= function,
		.flags		= KPROBE_FLAG_DISABLED,
	};
	int ret = register_kprobe(&kp);

	if (ret)
		return ret;
	*address = (unsigned long)kp.addr;
	unregister_kprobe(&kp);
	return 0;
}

static int add_to_filter(struct ftrace_ops *ops, const char *function, unsigned long address)
{
	int ret = 0;

	if (!address && !function)
		return -ENOENT;
	if (!address)
		ret = find(function, &address);
	if (!ret)
		ret = ftrace_set_filter_ip(ops, address, 0, 0);
	/* It is inline, or ftrace and kprobes must keep off it. */
	return ret == -EINVAL ? -ENOENT : ret;
}

int kng_hook_ask(const char *function)
{
	struct ftrace_ops ops = {};
	int ret = add_to_filter(&ops, function, 0);

	ftrace_free_filter(&ops);
	return ret;
}

/* EAGAIN: a BPF trampoline that shares the function is being changed. */
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

const char *kng_hook_cure(int err)
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

/*
 * Hook the functions of one mask. The filter is complete before the ops is
 * registered: only registration prepares functions that BPF trampolines share
 * already.
 */
static int install_mask(struct kng_hook *hook, unsigned int mask)
{
	struct ftrace_ops *ops = &hook->ops;
	unsigned int i, found = 0;
	bool no_memory = false;
	int ret;

	memset(ops, 0, sizeof(*ops));
	ops->func = kng_entry_of(hook);
	ops->flags = FTRACE_OPS_FL_PERMANENT;
	if (hook->can_skip)
		ops->flags |= FTRACE_OPS_FL_IPMODIFY;

	for (i = 0; i < KNG_HOOK_FUNCTIONS; i++) {
		if (!(mask & BIT(i)))
			continue;
		hook->error[i] = add_to_filter(ops, hook->function[i], i ? 0 : hook->address);
		if (!hook->error[i])
			found |= BIT(i);
		no_memory |= hook->error[i] == -ENOMEM;
	}

	if (no_memory)
		ret = -ENOMEM;
	else
		ret = found ? register_ops(ops) : -EOPNOTSUPP;
	if (ret) {
		/* ftrace had the ops in its list for a moment: no CPU is there any more. */
		synchronize_rcu();
		/* Even a filter that was never registered holds its hash. */
		ftrace_free_filter(ops);
		for (i = 0; i < KNG_HOOK_FUNCTIONS; i++) {
			if (found & BIT(i))
				hook->error[i] = ret;
		}
		return ret;
	}
	hook->hooked = found;
	return 0;
}

int kng_hook_install(struct kng_hook *hook)
{
	unsigned int i;
	int ret;

	hook->hooked = 0;
	if (kng_hook_kind == KNG_HOOK_KPROBE)
		return kng_kprobe_install(hook);

	ret = install_mask(hook, ~0U);
	if (ret != -EBUSY && ret != -EAGAIN)
		return ret;
	/* Somebody holds one of them: take what is free. */
	for (i = 0; i < KNG_HOOK_FUNCTIONS && !hook->hooked; i++) {
		if (hook->function[i])
			ret = install_mask(hook, BIT(i));
	}
	return ret;
}

int kng_hook_remove(struct kng_hook *hook)
{
	int ret = 0;

	if (!hook->hooked)
		return 0;
	if (kng_hook_kind == KNG_HOOK_KPROBE)
		kng_kprobe_remove(hook);
	else
		ret = unregister_ftrace_function(&hook->ops);
	if (ret)
		return ret;
	if (kng_hook_kind == KNG_HOOK_FTRACE)
		ftrace_free_filter(&hook->ops);
	hook->hooked = 0;
	return 0;
}

void kng_hook_remove_for_good(struct kng_hook *hook)
{
	int ret = kng_hook_remove(hook);

	if (!ret)
		return;
	pr_err("ftrace has shut itself down and can't take hooks out (%d): unloading waits for ever, since the kernel still calls the guard; reboot\n",
	       ret);
	for (;;)
		schedule_timeout_idle(MAX_SCHEDULE_TIMEOUT);
}
