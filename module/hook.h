/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the guard gets into the kernel's functions, and out again.
 */
#ifndef KNG_HOOK_H
#define KNG_HOOK_H

#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/types.h>

#define KNG_HOOK_FUNCTIONS	2

/**
 * enum kng_hook_kind - what calls the guard
 * @KNG_HOOK_FTRACE: ftrace; no call in NMI is missed but those that ftrace
 *	itself drops
 * @KNG_HOOK_KPROBE: kprobes, where there is no ftrace. Calls that are made
 *	while this CPU is in another kprobe's handler are missed.
 */
enum kng_hook_kind {
	KNG_HOOK_FTRACE,
	KNG_HOOK_KPROBE,
};

/* Set before anything is hooked. */
extern enum kng_hook_kind kng_hook_kind;

struct kng_hook;

/* A kprobe that knows its hook. */
struct kng_kprobe {
	struct kprobe kp;
	struct kng_hook *hook;
};

/**
 * struct kng_hook - functions that are hooked together
 * @function: their names; NULL for an unused entry
 * @address: where the first function is, if that is known; 0 if it is not.
 *	Then @function[0] is only what the log calls it.
 * @divert: called when one of them is, in NMI or, with kng_entry_irqsoff, with
 *	interrupts off, with its first two arguments. If it returns true the
 *	function is skipped; only a hook with @can_skip may do that, and only
 *	with ftrace.
 * @outside: called when one of them is and @divert is not, with its first two
 *	arguments; with ftrace only
 * @replacement: instead of @divert: a function to go to in place of the hooked
 *	one, in every context; with ftrace only
 * @enter: instead of @divert, called in whatever context the function's
 *	callers have, preemption on or off; with ftrace only.
 * @can_skip: the hook may skip its functions. ftrace grants that to one user
 *	of a function at a time.
 * @hooked: bit i: @function[i] is hooked. Written by kng_hook_install().
 * @error: why @function[i] is not. Written by kng_hook_install().
 * @ops: ftrace's
 * @kprobe: the kprobes'
 */
struct kng_hook {
	const char *function[KNG_HOOK_FUNCTIONS];
	unsigned long address;
	bool (*divert)(struct kng_hook *hook, unsigned long arg0, unsigned long arg1);
	void (*outside)(unsigned long arg0, unsigned long arg1);
	unsigned long replacement;
	void (*enter)(unsigned long arg0);
	bool can_skip;
	unsigned int hooked;
	int error[KNG_HOOK_FUNCTIONS];

	struct ftrace_ops ops;
	struct kng_kprobe kprobe[KNG_HOOK_FUNCTIONS];
};

/**
 * kng_hook_install() - hook what can be hooked
 * @hook: what to hook
 *
 * If some other user holds one of several functions (only where can_skip is
 * set), the rest is hooked, and @hook->hooked says what. Without memory for one
 * of them none is.
 *
 * Context: Task. Callers are serialised.
 * Return: 0 if anything is hooked. Else -EOPNOTSUPP: no such function, or it
 *	can't be hooked; -EBUSY: another user holds it, or ftrace is switched
 *	off; -ENODEV: ftrace has shut itself down; -ENOMEM; or what ftrace or
 *	kprobes say.
 */
int kng_hook_install(struct kng_hook *hook);

/**
 * kng_hook_remove() - undo kng_hook_install(); nothing if it hooked nothing
 * @hook: what to unhook
 *
 * When it returns, no CPU and no preempted task is in a handler of @hook, and
 * none will enter one.
 *
 * Context: Task. Callers are serialised.
 * Return: 0; -ENODEV if ftrace has shut itself down, and can't take hooks out
 *	any more: they stay, and so must the code that they call.
 */
int kng_hook_remove(struct kng_hook *hook);

/**
 * kng_hook_remove_for_good() - kng_hook_remove() before the module's code goes
 * @hook: what to unhook
 *
 * If the hook can't be taken out this never returns: the kernel goes on calling
 * code that must stay. It says so in the log.
 *
 * Context: Task. Callers are serialised.
 */
void kng_hook_remove_for_good(struct kng_hook *hook);

/**
 * kng_hook_ask() - ask ftrace if a function can be hooked
 * @function: its name
 *
 * Context: Task.
 * Return: 0; -ENOENT: the kernel has no such function, or ftrace can't hook it;
 *	-ENODEV: ftrace has shut itself down, which is for good, and kprobes on
 *	entry to a function are ftrace's; or what ftrace or kprobes say.
 */
int kng_hook_ask(const char *function);

/**
 * kng_hook_cure() - what a user can do about an error
 * @err: what kng_hook_install() or kng_hook_ask() said
 *
 * Context: Any.
 * Return: half a sentence for the log.
 */
const char *kng_hook_cure(int err);

/**
 * kng_hook_missed() - calls that a hook's kprobes missed
 * @hook: a hook
 *
 * Context: Any but NMI.
 * Return: their number; 0 with ftrace.
 */
unsigned long kng_hook_missed(const struct kng_hook *hook);

#endif /* KNG_HOOK_H */
