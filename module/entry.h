/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hook, and what runs when a hooked function is called.
 */
#ifndef KNG_ENTRY_H
#define KNG_ENTRY_H

#include <linux/ftrace.h>
#include <linux/jump_label.h>
#include <linux/kprobes.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/types.h>

#include "count.h"
#include "kng_depth.h"

#define KNG_HOOK_FUNCTIONS	2

struct kng_hook;

/**
 * struct kng_kprobe - a kprobe that knows its hook
 * @kp: the kprobe
 * @hook: the hook that it belongs to
 */
struct kng_kprobe {
	struct kprobe kp;
	struct kng_hook *hook;
};

/**
 * struct kng_hook - functions that are hooked together
 * @function: their names; NULL for an unused entry
 * @address: address of the first function, or 0 to look it up by its name.
 *	If it is set, @function[0] is only used in the log.
 * @divert: called by ftrace when a hooked function is called in NMI or, with
 *	defer=irqsoff, with interrupts off. It may have @stub run in place of the
 *	function: kng_entry_divert(). NULL: @stub runs in place of all those calls.
 * @stub: runs in place of a diverted call, in its context and with its
 *	arguments; or 0
 * @probed: used instead of @divert with kprobes: called with the first two arguments of
 *	a hooked function that is called in NMI. The function runs, too.
 * @outside: called with the first two arguments when @divert is not. Needs
 *	ftrace.
 * @replacement: used instead of @divert: the function that runs in place of
 *	the hooked one, in every context. Needs ftrace.
 * @direct: a stub that ftrace may have called directly, in place of @replacement, if there
 *	is one function; or 0 (direct.h)
 * @enter: used instead of @divert: called with the first argument, in the
 *	context of the caller, with preemption on or off. Needs ftrace.
 * @nmi_only: with defer=irqsoff, too, only calls in NMI are diverted. Not with @outside.
 * @can_skip: the hook wants to skip its functions, or to replace them. ftrace
 *	lets only one user at a time do that to a function.
 * @skips: the hook may skip its functions. Written by kng_hook_install().
 * @is_direct: @direct is called. Written by kng_hook_install().
 * @hooked: bit i is set if @function[i] is hooked. Written by
 *	kng_hook_install().
 * @error: why @function[i] is not hooked. Written by kng_hook_install().
 * @group: the hooks that share an ftrace_ops with this one; NULL: it has its own.
 *	Written by kng_hook_install_group().
 * @ops: for ftrace
 * @kprobe: for kprobes
 */
struct kng_hook {
	const char *function[KNG_HOOK_FUNCTIONS];
	unsigned long address;
	void (*divert)(struct kng_hook *hook, struct ftrace_regs *fregs);
	unsigned long stub;
	void (*probed)(struct kng_hook *hook, unsigned long arg0, unsigned long arg1);
	void (*outside)(unsigned long arg0, unsigned long arg1);
	unsigned long replacement;
	unsigned long direct;
	void (*enter)(unsigned long arg0);
	bool nmi_only;
	bool can_skip;
	bool skips;
	bool is_direct;
	unsigned int hooked;
	int error[KNG_HOOK_FUNCTIONS];
	struct kng_group *group;

	struct ftrace_ops ops;
	struct kng_kprobe kprobe[KNG_HOOK_FUNCTIONS];
};

#define KNG_GROUP_HOOKS		8

/**
 * struct kng_member - a function of a group
 * @address: where it is
 * @stub: runs in its place when a call is diverted
 * @hook: the hook that it belongs to
 */
struct kng_member {
	unsigned long address;
	unsigned long stub;
	struct kng_hook *hook;
};

/**
 * struct kng_group - hooks that share one ftrace_ops
 * @ops: for ftrace
 * @nr: number of entries of @member
 * @nr_hooks: number of entries of @hook
 * @hook: the hooks
 * @member: their functions. Written by kng_hook_install_group().
 */
struct kng_group {
	struct ftrace_ops ops;
	unsigned int nr;
	unsigned int nr_hooks;
	struct kng_hook *hook[KNG_GROUP_HOOKS];
	struct kng_member member[KNG_GROUP_HOOKS * KNG_HOOK_FUNCTIONS];
};

/* See kng_entry_defers_irqsoff(). Never switched off again. */
DECLARE_STATIC_KEY_FALSE(kng_entry_irqsoff);

/**
 * kng_entry_defers_irqsoff() - ask whether calls with interrupts off are diverted, too
 *
 * Context: Any, nested NMI included.
 * Return: true if they are, from the next call on.
 */
static __always_inline bool kng_entry_defers_irqsoff(void)
{
	return static_branch_unlikely(&kng_entry_irqsoff);
}

/**
 * kng_entry_defer_irqsoff() - divert calls with interrupts off from now on
 *
 * A destructor that the guard's irq_work has called just before is not marked
 * (kng_entry_mark_own_call()). If it calls a hooked function, that is deferred
 * once more, which is harmless.
 *
 * Context: Task, may sleep. Needs ftrace.
 */
void kng_entry_defer_irqsoff(void);

/**
 * kng_entry_handler() - choose the ftrace handler for a hook
 * @hook: the hook
 *
 * Context: Any.
 * Return: the function for ftrace to call.
 */
ftrace_func_t kng_entry_handler(const struct kng_hook *hook);

/**
 * kng_entry_group_handler() - choose the ftrace handler for a group
 * @hook: one of its hooks
 *
 * Context: Any.
 * Return: the function for ftrace to call.
 */
ftrace_func_t kng_entry_group_handler(const struct kng_hook *hook);

/**
 * kng_entry_is_nmi() - ask whether a call that was diverted came in NMI
 *
 * Unless calls with interrupts off are diverted, too, that needs no look. While that is being
 * switched on, a call with interrupts off may be taken for one in NMI: it counts as such.
 *
 * Context: Where a diverted call is served.
 * Return: true in NMI; false with interrupts off.
 */
static __always_inline bool kng_entry_is_nmi(void)
{
	return !kng_entry_defers_irqsoff() || likely(in_nmi());
}

/**
 * kng_entry_count() - count a call that the guard serves without kng_entry_enter()
 *
 * Context: As kng_entry_enter(), which counts by itself.
 */
static inline void kng_entry_count(void)
{
	if (kng_entry_is_nmi())
		kng_count(KNG_SEEN_NMI);
	else
		kng_count(KNG_SEEN_IRQSOFF);
}

static __always_inline void __kng_entry_enter(unsigned int level, enum kng_counter seen)
{
	if (unlikely(!kng_depth_enter(this_cpu_ptr(&kng_entry_depth), level)))
		kng_count(KNG_NESTED);
	kng_count_entered(seen);
}

/**
 * kng_entry_enter() - note that this CPU is inside the guard
 *
 * A hook's @divert, @probed or @stub calls it when it has found that the call concerns it.
 *
 * Context: NMI, nested NMI included; any other with interrupts off. Never
 *	sleeps, allocates or locks.
 * Return: the level, for kng_entry_exit().
 */
static __always_inline unsigned int kng_entry_enter(void)
{
	unsigned int level;

	/* In NMI the level is a constant. */
	if (kng_entry_is_nmi()) {
		level = KNG_LEVELS - 1;
		__kng_entry_enter(level, KNG_SEEN_NMI);
	} else {
		level = interrupt_context_level();
		__kng_entry_enter(level, KNG_SEEN_IRQSOFF);
	}
	return level;
}

/**
 * kng_entry_exit() - note that this CPU leaves the guard
 * @level: what kng_entry_enter() returned
 *
 * Context: As kng_entry_enter().
 */
static inline void kng_entry_exit(unsigned int level)
{
	kng_depth_exit(this_cpu_ptr(&kng_entry_depth), level);
}

/**
 * kng_entry_divert() - have a hook's stub run in place of the call
 * @hook: the hook; its @skips is set
 * @fregs: as passed to its @divert
 *
 * Context: The hook's @divert.
 */
static inline void kng_entry_divert(const struct kng_hook *hook, struct ftrace_regs *fregs)
{
	ftrace_regs_set_instruction_pointer(fregs, hook->stub);
}

/**
 * kng_entry_mark_own_call() - announce that the guard calls a hooked function
 * @arg0: first argument of that call; after the call has returned, what this
 *	function returned before it
 *
 * In NMI the guard calls a destructor that is to run there after all. With
 * defer=irqsoff its irq_work calls destructors with interrupts off. Without the
 * mark these calls would be diverted again. Until the mark is removed, calls with
 * @arg0 on this CPU are not diverted: in NMI if it was set in NMI, outside NMI
 * if it was set there.
 *
 * Context: Any, nested NMI included. Outside NMI, nothing is marked unless
 *	defer=irqsoff is set and interrupts are off: else nothing is diverted.
 * Return: the mark that was there before.
 */
void *kng_entry_mark_own_call(void *arg0);

#endif /* KNG_ENTRY_H */
