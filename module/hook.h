/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Installing and removing hooks.
 */
#ifndef KNG_HOOK_H
#define KNG_HOOK_H

#include <linux/bug.h>

#include "entry.h"

/**
 * kng_hook_init() - decide between ftrace and kprobes
 *
 * Asks the kernel whether ftrace can hook bpf_obj_free_fields(), and refuses
 * parameters that kprobes can't serve. The log says why.
 *
 * Context: Task; after kng_params_parse(), before any other call.
 * Return: 0; -EOPNOTSUPP: the parameters need the other mechanism; or as
 *	kng_hook_probe().
 */
int kng_hook_init(void);

/**
 * kng_hook_uses_ftrace() - ask which mechanism was chosen
 *
 * Context: Any; after kng_hook_init().
 * Return: true: ftrace, which misses no call except those that ftrace itself
 *	drops. false: kprobes, which miss calls that are made inside the handler of
 *	another kprobe.
 */
bool kng_hook_uses_ftrace(void);

/**
 * kng_hook_install() - hook the functions that can be hooked
 * @hook: the hook
 *
 * If another user holds one of several functions, the others are hooked, and
 * @hook->hooked says which. That happens only with @hook->can_skip. If memory
 * runs out, none is hooked.
 *
 * Context: Task. The caller serialises calls with the same @hook.
 * Return: 0 if at least one function is hooked; -EOPNOTSUPP: there is no such
 *	function, or it can't be hooked; -EBUSY: another user holds it, or ftrace is
 *	switched off; -ENODEV: ftrace has shut itself down; -ENOMEM; or another
 *	error of ftrace or kprobes.
 */
int kng_hook_install(struct kng_hook *hook);

/**
 * kng_hook_join() - add a hook to a group
 * @group: the group, which is not installed
 * @hook: the hook
 *
 * Context: Task. The caller serialises calls with the same @group.
 */
static inline void kng_hook_join(struct kng_group *group, struct kng_hook *hook)
{
	if (!WARN_ON(group->nr_hooks == KNG_GROUP_HOOKS))
		group->hook[group->nr_hooks++] = hook;
}

/**
 * kng_hook_install_group() - hook what can be hooked, with one ftrace_ops
 * @group: the hooks; all have the same @can_skip, and all have @enter, or none has
 *	@enter or @divert
 *
 * To remove an ftrace_ops takes a long grace period. If another user holds one of the
 * functions, each hook is installed for itself.
 *
 * Context: Task. The caller serialises calls with the same @group.
 * Return: 0 if at least one function is hooked; else as kng_hook_install(). After
 *	-ENOMEM some of the hooks may be installed.
 */
int kng_hook_install_group(struct kng_group *group);

/**
 * kng_hook_remove() - undo kng_hook_install()
 * @hook: the hook; nothing happens if it is not installed
 *
 * When this returns 0, no CPU and no preempted task is in a handler of @hook,
 * and none will enter one. Hooks that were installed together are removed together.
 *
 * Context: Task. The caller serialises calls with the same @hook.
 * Return: 0; -ENODEV: ftrace has shut itself down and can't remove the hook. The
 *	kernel keeps calling the handler, so the module must stay.
 */
int kng_hook_remove(struct kng_hook *hook);

/**
 * kng_hook_remove_for_good() - remove a hook before the module's code is freed
 * @hook: the hook
 *
 * If the hook can't be removed this function logs that and never returns,
 * because the kernel still calls the module.
 *
 * Context: Task. The caller serialises calls with the same @hook.
 */
void kng_hook_remove_for_good(struct kng_hook *hook);

/**
 * kng_hook_probe() - ask whether ftrace can hook a function
 * @function: its name
 *
 * Context: Task.
 * Return: 0; -ENOENT: the kernel has no such function, or ftrace can't hook it;
 *	-ENODEV: ftrace has shut itself down, for good, and kprobes at function
 *	entry need ftrace; or another error of ftrace or kprobes.
 */
int kng_hook_probe(const char *function);

/**
 * kng_hook_error_hint() - say what a user can do about an error
 * @err: an error of kng_hook_install() or kng_hook_probe()
 *
 * Context: Any.
 * Return: half a sentence for the log.
 */
const char *kng_hook_error_hint(int err);

/**
 * kng_hook_missed() - number of calls that a hook is known to have missed
 * @hook: the hook
 *
 * Context: Any but NMI.
 * Return: a lower bound; 0 with ftrace.
 */
unsigned long kng_hook_missed(const struct kng_hook *hook);

#endif /* KNG_HOOK_H */
