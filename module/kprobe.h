/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hooks by kprobes, where ftrace can't hook a function. Internal to hook.c.
 */
#ifndef KNG_KPROBE_H
#define KNG_KPROBE_H

#include "hook.h"

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
