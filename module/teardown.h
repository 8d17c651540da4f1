/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The teardown door: takes references out of objects before bpf_obj_free_fields()
 * frees their fields.
 */
#ifndef KNG_TEARDOWN_H
#define KNG_TEARDOWN_H

#include <linux/types.h>

/**
 * kng_teardown_open() - open the door, if it is closed
 * @by_update: an update of a map calls bpf_obj_free_fields()
 *
 * Context: Task, may sleep; pool and offload are ready. Calls may run at the same time.
 * Return: as kng_hook_install(); -ENOENT: the function is there, but the kernel does not
 *	call it, as the compiler may have inlined it.
 */
int kng_teardown_open(bool by_update);

/**
 * kng_teardown_close() - close the door, if it is open
 *
 * Context: Task.
 */
void kng_teardown_close(void);

/**
 * kng_teardown_is_open() - ask whether the door is open
 *
 * Context: Any.
 * Return: true if it is.
 */
bool kng_teardown_is_open(void);

/**
 * kng_teardown_missed() - number of calls that the door's kprobe missed
 *
 * Context: Any but NMI.
 * Return: a lower bound; 0 with ftrace.
 */
unsigned long kng_teardown_missed(void);

#endif /* KNG_TEARDOWN_H */
