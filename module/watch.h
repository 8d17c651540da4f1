/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map watch: sees maps when they are created and when they are freed.
 */
#ifndef KNG_WATCH_H
#define KNG_WATCH_H

#include "params.h"

/**
 * kng_watch_init() - hook the functions in which maps are seen
 *
 * This is the first hook, and the guard can work without it. So its error tells
 * whether ftrace works at all.
 *
 * Context: Task; before any other hook.
 * Return: as kng_hook_install().
 */
int kng_watch_init(void);

/**
 * kng_watch_kernel_cancels() - ask whether the kernel frees no kptrs of maps in NMI
 *
 * Context: Any; after kng_watch_init().
 * Return: true if it seems so.
 */
bool kng_watch_kernel_cancels(void);

/**
 * kng_watch_start() - inspect the existing maps, and new ones from now on
 * @mode: when to open the teardown door
 *
 * Context: Task; the release door is open.
 * Return: 0; -EINTR if the caller was killed meanwhile; or why the teardown door can't be
 *	opened although it has to be.
 */
int kng_watch_start(enum kng_teardown_mode mode);

/**
 * kng_watch_complete() - ask whether maps are seen both when created and when freed
 *
 * Context: Any but NMI; after kng_watch_start(), which creates a map to find out.
 * Return: true if they are.
 */
bool kng_watch_complete(void);

/**
 * kng_watch_state() - the same in words, for the stats
 *
 * Context: As kng_watch_complete().
 * Return: "complete", "new maps only" or "none".
 */
const char *kng_watch_state(void);

/**
 * kng_watch_found_exchangeable() - ask whether a map was seen that bpf_kptr_xchg() can
 *	reach, directly, through objects, or through a map of maps
 *
 * Context: Task; after kng_watch_start().
 * Return: true if there was one, or if some map could not be read.
 */
bool kng_watch_found_exchangeable(void);

/**
 * kng_watch_note_shortage() - jobs run short: references may have to stay in their slots
 *
 * Opens the teardown door, with teardown=auto and where the kernel frees kptrs of maps in
 * NMI. Nothing happens before kng_watch_start() and after kng_watch_exit().
 *
 * Context: Task, may sleep.
 */
void kng_watch_note_shortage(void);

/**
 * kng_watch_exit() - stop watching, and close the teardown door
 *
 * Context: Task.
 */
void kng_watch_exit(void);

/**
 * kng_watch_door_failed() - ask whether the teardown door is closed, but should be open
 *
 * Context: Any.
 * Return: true if it could not be opened.
 */
bool kng_watch_door_failed(void);

/**
 * kng_watch_door() - state of the teardown door, for the stats
 *
 * Context: Any.
 * Return: "open", or "closed" with the reason.
 */
const char *kng_watch_door(void);

#endif /* KNG_WATCH_H */
