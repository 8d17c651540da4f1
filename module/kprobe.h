/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hooks made of kprobes, for kernels on which ftrace can't hook. Only hook.c
 * uses this.
 */
#ifndef KNG_KPROBE_H
#define KNG_KPROBE_H

#include "entry.h"

/**
 * kng_kprobe_install() - install a hook by kprobes
 * @hook: the hook; one that needs ftrace is refused
 *
 * Context: Task.
 * Return: as kng_hook_install().
 */
int kng_kprobe_install(struct kng_hook *hook);

/**
 * kng_kprobe_remove() - undo kng_kprobe_install()
 * @hook: the hook
 *
 * Context: Task.
 */
void kng_kprobe_remove(struct kng_hook *hook);

/**
 * kng_kprobe_missed() - number of calls that a hook's kprobes missed
 * @hook: the hook
 *
 * Context: Any but NMI.
 * Return: the number of missed calls that the kernel knows of; 0 if no kprobe
 *	was installed.
 */
unsigned long kng_kprobe_missed(const struct kng_hook *hook);

#endif /* KNG_KPROBE_H */
