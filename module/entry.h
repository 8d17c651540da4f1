/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is called on entry to a hooked function.
 */
#ifndef KNG_ENTRY_H
#define KNG_ENTRY_H

#include "hook.h"

/* Divert calls made with interrupts off, too. Set before anything is hooked, with ftrace. */
extern bool kng_entry_irqsoff;

/**
 * kng_entry_of() - the handler that a hook needs
 * @hook: the hook
 *
 * Context: Any.
 * Return: what ftrace is to call.
 */
ftrace_func_t kng_entry_of(const struct kng_hook *hook);

/**
 * kng_entry_divert() - call a hook's divert with the recursion guard around it
 * @hook: the hook
 * @arg0: the hooked function's first argument
 * @arg1: its second
 *
 * Context: NMI, nested included; or any other with interrupts off.
 * Return: true if the function is to be skipped.
 */
bool kng_entry_divert(struct kng_hook *hook, unsigned long arg0, unsigned long arg1);

/**
 * kng_entry_let_pass() - the guard itself is about to call a hooked function
 * @arg0: its first argument; NULL when it has returned
 *
 * With kng_entry_irqsoff and interrupts off, as in the irq_work, calls with @arg0
 * on this CPU are not diverted till then. Else nothing is in their way anyhow.
 *
 * Context: Any but NMI.
 */
void kng_entry_let_pass(void *arg0);

#endif /* KNG_ENTRY_H */
