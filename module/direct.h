/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replacing a function by ftrace's direct calls: the function's first instruction calls a stub
 * of ours, and the stub goes on to the replacement. That takes 40 instructions less than the
 * way through an ftrace handler. But a function has one direct user: BPF's fentry, fexit and
 * fmod_ret programs, which are others, get EBUSY.
 */
#ifndef KNG_DIRECT_H
#define KNG_DIRECT_H

#include "compat.h"
#include "entry.h"

#ifdef KNG_HAS_DIRECT
/* Goes on to kng_exact_xchg(). Called by ftrace only: it needs what ftrace's call leaves behind. */
void kng_direct_xchg(void);
#define KNG_DIRECT_XCHG		((unsigned long)kng_direct_xchg)

/**
 * kng_direct_install() - have the function of a hook call the hook's stub
 * @hook: the hook, not installed
 *
 * Not with hook=ftrace, so that users can have BPF programs there instead.
 *
 * Context: Task; after kng_hook_init(). The caller serialises calls with the same @hook.
 * Return: 0: @hook->is_direct and @hook->hooked are set; -EOPNOTSUPP: the hook has no stub, or
 *	hook=ftrace; -EBUSY: the function has a direct user, or is diverted; -ENOENT: there is
 *	no such function; or another error of ftrace or kprobes. Nothing is hooked then.
 */
int kng_direct_install(struct kng_hook *hook);

/**
 * kng_direct_remove() - undo kng_direct_install()
 * @ops: the hook's
 * @hook: the hook; its @is_direct is set
 *
 * When this returns 0, no CPU and no preempted task is in the stub or in the replacement, and
 * none will enter them. The filter of @ops is left to the caller.
 *
 * Context: Task. The caller serialises calls with the same @hook.
 * Return: 0; -ENODEV: ftrace has shut itself down, and the stub is still called.
 */
int kng_direct_remove(struct ftrace_ops *ops, const struct kng_hook *hook);
#else
#define KNG_DIRECT_XCHG		0

static inline int kng_direct_install(struct kng_hook *hook)
{
	return -EOPNOTSUPP;
}

static inline int kng_direct_remove(struct ftrace_ops *ops, const struct kng_hook *hook)
{
	return -EOPNOTSUPP;
}
#endif

#endif /* KNG_DIRECT_H */
