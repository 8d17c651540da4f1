// SPDX-License-Identifier: GPL-2.0-only
/*
 * Installing and removing hooks. ftrace calls the handlers in entry.c on entry
 * to a hooked function; kprobe.c is used where ftrace can't hook.
 *
 * FTRACE_OPS_FL_PERMANENT: without it, `sysctl kernel.ftrace_enabled=0' would
 * silently switch the guard off. With it that sysctl answers EBUSY.
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
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "compat.h"
#include "hook.h"
#include "kprobe.h"
#include "params.h"

static bool uses_ftrace;

/*
 * kprobes that are never armed: they tell where a function is. To remove one takes a
 * grace period, so those of the module's init are removed together.
 */
#define MAX_LOOKUPS	16

static struct kprobe lookups[MAX_LOOKUPS];
static unsigned int nr_lookups;
static bool keeps_lookups = true;
static DEFINE_MUTEX(lookups_lock);

static void remove_lookups(void)
{
	struct kprobe *all[MAX_LOOKUPS];
	unsigned int i;

	for (i = 0; i < nr_lookups; i++)
		all[i] = &lookups[i];
	if (nr_lookups)
		unregister_kprobes(all, nr_lookups);
	nr_lookups = 0;
}

/*
 * Find the address of a function.
 *
 * ftrace_set_filter() takes names, but it hides an error: if Linux 6.12 has no
 * memory for the matching entry, it returns 0 and leaves the filter empty. An
 * empty filter matches every function of the kernel.
 */
static int find_address(const char *function, unsigned long *address)
{
	struct kprobe *kp;
	int ret;

	mutex_lock(&lookups_lock);
	kp = &lookups[nr_lookups];
	memset(kp, 0, sizeof(*kp));
	kp->symbol_name = function;
	kp->flags = KPROBE_FLAG_DISABLED;
	ret = register_kprobe(kp);
	if (!ret) {
		*address = (unsigned long)kp->addr;
		nr_lookups++;
	}
	if (nr_lookups == MAX_LOOKUPS || !keeps_lookups)
		remove_lookups();
	mutex_unlock(&lookups_lock);
	return ret;
}

void kng_hook_init_done(void)
{
	mutex_lock(&lookups_lock);
	keeps_lookups = false;
	remove_lookups();
	mutex_unlock(&lookups_lock);
}

static int add_to_filter(struct ftrace_ops *ops, const char *function, unsigned long address)
{
	int ret = 0;

	if (!address && !function)
		return -ENOENT;
	if (!address)
		ret = find_address(function, &address);
	if (!ret)
		ret = ftrace_set_filter_ip(ops, address, 0, 0);
	/* The function is inlined, or marked notrace or noinstr. */
	return ret == -EINVAL ? -ENOENT : ret;
}

bool kng_hook_exists(const char *function)
{
	unsigned long address;

	/* A function that kprobes may not touch exists as well. */
	return find_address(function, &address) != -ENOENT;
}

int kng_hook_probe(const char *function)
{
	struct ftrace_ops ops = {};
	int ret = add_to_filter(&ops, function, 0);

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
		kng_hook_init_done();
	if (kng_params.irqsoff && !uses_ftrace) {
		pr_err("defer=irqsoff has to skip functions, which kprobes can't: load with defer=nmi\n");
		return -EOPNOTSUPP;
	}
	if (kng_params.exact && !uses_ftrace) {
		pr_err("reserve=exact has to replace bpf_kptr_xchg, which kprobes can't: load with reserve=capacity\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

bool kng_hook_uses_ftrace(void)
{
	return uses_ftrace;
}

/*
 * Hook the functions of one mask. The filter must be complete before the ops is
 * registered, because only registration prepares functions that BPF trampolines
 * already share.
 */
static int install_mask(struct kng_hook *hook, unsigned int mask)
{
	struct ftrace_ops *ops = &hook->ops;
	unsigned int i, found = 0;
	bool no_memory = false;
	int ret;

	memset(ops, 0, sizeof(*ops));
	ops->func = kng_entry_handler(hook);
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
		/* ftrace had the ops in its list for a moment. Wait until no CPU uses it. */
		synchronize_rcu();
		/* The filter's hash is allocated even if the ops was never registered. */
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
	hook->skips = hook->can_skip && uses_ftrace;
	if (!uses_ftrace)
		return kng_kprobe_install(hook);

	ret = install_mask(hook, ~0U);
	if (ret != -EBUSY && ret != -EAGAIN)
		return ret;
	/* Another user holds one of them. Hook the first that is free. */
	for (i = 0; i < KNG_HOOK_FUNCTIONS && !hook->hooked; i++) {
		if (hook->function[i])
			ret = install_mask(hook, BIT(i));
	}
	return ret;
}

int kng_hook_remove(struct kng_hook *hook)
{
	int ret;

	if (!hook->hooked)
		return 0;
	if (!uses_ftrace) {
		kng_kprobe_remove(hook);
	} else {
		ret = unregister_ftrace_function(&hook->ops);
		if (ret)
			return ret;
		ftrace_free_filter(&hook->ops);
		if (hook->enter)
			synchronize_rcu(); /* see enter_handler() */
	}
	hook->hooked = 0;
	return 0;
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
