/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map watch: opens the teardown door when a map needs it.
 */
#ifndef KNG_WATCH_H
#define KNG_WATCH_H

/**
 * enum kng_teardown_mode - when the teardown door opens
 * @KNG_TEARDOWN_AUTO: with the first map that owns kernel references; on kernels
 *	that no longer tear maps down in NMI, as KNG_TEARDOWN_NEEDED
 * @KNG_TEARDOWN_ALWAYS: at load
 * @KNG_TEARDOWN_NEEDED: with the first map that has a destructor which the
 *	release door doesn't guard
 */
enum kng_teardown_mode {
	KNG_TEARDOWN_AUTO,
	KNG_TEARDOWN_ALWAYS,
	KNG_TEARDOWN_NEEDED,
};

/**
 * kng_watch_init() - hook what shows new maps
 *
 * Being the first hook, and one that needs no function for itself, it also
 * finds out whether ftrace works at all.
 *
 * Context: Task; before any other hook.
 * Return: as kng_hook_install().
 */
int kng_watch_init(void);

/**
 * kng_watch_kernel_cancels() - ask if the kernel frees no kptrs of maps in NMI itself
 *
 * Context: Any; after kng_watch_init().
 * Return: true if it looks like that.
 */
bool kng_watch_kernel_cancels(void);

/**
 * kng_watch_start() - look at the maps that exist, and at new ones from now on
 * @mode: when to open the teardown door
 *
 * Context: Task; the release door is open. The caller may use bpf(2).
 * Return: 0, or why the teardown door can't be opened though it has to be.
 */
int kng_watch_start(enum kng_teardown_mode mode);

/**
 * kng_watch_complete() - ask if maps are seen both when they come and when they go
 *
 * Context: Task; after kng_watch_init().
 * Return: true if so.
 */
bool kng_watch_complete(void);

/**
 * kng_watch_saw_reachable() - ask if there was a map that bpf_kptr_xchg() can get at,
 *	by way of objects or maps of maps too
 *
 * Context: Task; after kng_watch_start().
 * Return: true if there was one, or may have been.
 */
bool kng_watch_saw_reachable(void);

/**
 * kng_watch_exit() - stop watching, and close the teardown door
 *
 * Context: Task.
 */
void kng_watch_exit(void);

/**
 * kng_watch_door() - how the teardown door stands, for the stats
 *
 * Context: Any.
 * Return: "open", or "closed" and why.
 */
const char *kng_watch_door(void);

#endif /* KNG_WATCH_H */
