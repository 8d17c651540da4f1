/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The release door for destructors of other modules.
 */
#ifndef KNG_LEARN_H
#define KNG_LEARN_H

#include <linux/bpf.h>

struct seq_file;

/**
 * kng_learn_later() - note a destructor of another module, to be guarded too
 * @dtor: the destructor
 * @owner: its module. A map's record holds a reference on it, so getting another
 *	can't fail.
 *
 * Context: Task. Does not sleep. The caller sees to it that kng_learn_wanted()
 *	follows.
 * Return: false if there is no room to note it.
 */
bool kng_learn_later(btf_dtor_kfunc_t dtor, struct module *owner);

/**
 * kng_learn_wanted() - guard the destructors that were noted
 *
 * Those that can't be hooked are named in the log.
 *
 * Context: Task.
 * Return: true if calls of all of them are deferred from now on.
 */
bool kng_learn_wanted(void);

/**
 * kng_learn_forget() - undo kng_learn_wanted()
 * @owner: for all destructors of this module, which is going
 *
 * A hook that outlived its function would trip whatever is loaded there next.
 *
 * Context: Task.
 */
void kng_learn_forget(struct module *owner);

/**
 * kng_learn_guards() - ask if a destructor was learnt
 * @dtor: a destructor
 *
 * Context: Any, nested NMI included.
 * Return: true if calls of it are deferred.
 */
bool kng_learn_guards(btf_dtor_kfunc_t dtor);

/**
 * kng_learn_exit() - forget all
 *
 * Context: Task; nothing is learnt any more.
 */
void kng_learn_exit(void);

/**
 * kng_learn_show() - write a line for each module
 * @m: where to
 *
 * Context: Task.
 */
void kng_learn_show(struct seq_file *m);

#endif /* KNG_LEARN_H */
