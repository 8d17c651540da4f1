/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Destructors of other modules, found in the records of maps.
 */
#ifndef KNG_LEARN_H
#define KNG_LEARN_H

#include <linux/bpf.h>

/**
 * kng_learn_init() - start to follow modules that are unloaded
 *
 * Context: Task; before the release door opens.
 * Return: 0 or a negative errno.
 */
int kng_learn_init(void);

/**
 * kng_learn_note() - note a destructor of another module
 * @dtor: the destructor
 * @owner: its module. The record of a map holds a reference on it, so taking another
 *	one can't fail.
 *
 * The caller makes sure that kng_learn_noted() is called later.
 *
 * Context: Task, atomic. Never sleeps.
 * Return: false if there is no room for it.
 */
bool kng_learn_note(btf_dtor_kfunc_t dtor, struct module *owner);

/**
 * kng_learn_noted() - add the noted destructors to the release door
 *
 * The log names those that can't be hooked.
 *
 * Context: Task, may sleep.
 * Return: true if all of them are guarded now.
 */
bool kng_learn_noted(void);

/**
 * kng_learn_exit() - forget what was noted, and stop to follow modules
 *
 * Context: Task; after the release door was closed.
 */
void kng_learn_exit(void);

#endif /* KNG_LEARN_H */
