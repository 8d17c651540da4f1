/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The teardown door: what the guard does where bpf_obj_free_fields() is called.
 */
#ifndef KNG_TEARDOWN_H
#define KNG_TEARDOWN_H

#include <linux/types.h>

/**
 * enum kng_on_empty - what to do with a reference when no job is left
 * @KNG_LEAK: take it and drop it; the object stays, with its module
 * @KNG_INLINE: leave it to the kernel, which calls the destructor in NMI
 */
enum kng_on_empty {
	KNG_LEAK,
	KNG_INLINE,
};

/* Set before the door is opened. */
extern enum kng_on_empty kng_on_empty;

/**
 * kng_teardown_open() - open the door, if it isn't open yet
 *
 * Context: Task; pool and offload are ready. Callers may come at once.
 * Return: as kng_hook_install().
 */
int kng_teardown_open(void);

/**
 * kng_teardown_close() - close the door, if it is open
 *
 * Context: Task.
 */
void kng_teardown_close(void);

/**
 * kng_teardown_is_open() - ask if the door is open
 *
 * Context: Any.
 * Return: true if it is.
 */
bool kng_teardown_is_open(void);

/**
 * kng_teardown_missed() - calls that the door's kprobe missed
 *
 * Context: Any but NMI.
 * Return: their number; 0 with ftrace.
 */
unsigned long kng_teardown_missed(void);

#endif /* KNG_TEARDOWN_H */
