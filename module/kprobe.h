/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hooks by kprobes, where ftrace can't hook a function. Internal to hook.c.
 */
#ifndef KNG_KPROBE_H
#define KNG_KPROBE_H

#include "hook.h"

/**
 * kng_hook_nmi() - enter a hook's divert with the recursion guard around it
 * @hook: the hook
 * @arg0: the hooked function's first argument
 * @arg1: its second
 *
 * Context: NMI, nested included.
 * Return: true if the function is to be skipped.
 */
bool kng_hook_nmi(struct kng_hook *hook, unsigned long arg0, unsigned long arg1);

/**
 * kng_kprobe_install() - kng_hook_install() by kprobes
 * @hook: what to hook; one with @enter is refused
 *
 * Context: Task.
 * Return: as kng_hook_install().
 */
int kng_kprobe_install(struct kng_hook *hook);

/**
 * kng_kprobe_remove() - undo kng_kprobe_install()
 * @hook: what to unhook
 *
 * Context: Task.
 */
void kng_kprobe_remove(struct kng_hook *hook);

#endif /* KNG_KPROBE_H */
