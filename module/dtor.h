/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of known destructors: a job names its destructor by an index into
 * it, which keeps jobs small and says which module must stay loaded.
 */
#ifndef KNG_DTOR_H
#define KNG_DTOR_H

#include <linux/bpf.h>

/**
 * kng_dtor_get() - name a destructor and keep its module
 * @fn: the destructor
 * @owner: the module that it belongs to; NULL for the kernel itself. The caller
 *	knows that it can't go away during the call: a map's record, or the
 *	caller's own code, holds a reference on it.
 *
 * Each successful call takes one reference on @owner.
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 * Return: an index; -ENOSPC if the table is full of other destructors; -ENOENT
 *	if @owner is on its way out.
 */
int kng_dtor_get(btf_dtor_kfunc_t fn, struct module *owner);

/**
 * kng_dtor_put() - drop what kng_dtor_get() took
 * @index: what it returned
 *
 * Context: Any, nested NMI included.
 */
void kng_dtor_put(unsigned int index);

/**
 * kng_dtor_call() - run a destructor
 * @index: what kng_dtor_get() returned
 * @obj: the reference to give back
 *
 * Context: Task, softirq or hardirq; never NMI.
 */
void kng_dtor_call(unsigned int index, void *obj);

/**
 * kng_dtor_init() - start to follow modules, so that the table forgets the
 *	destructors of those that go
 *
 * Context: Task.
 * Return: 0 or a negative errno.
 */
int kng_dtor_init(void);

/**
 * kng_dtor_exit() - undo kng_dtor_init()
 *
 * Context: Task; no job is left.
 */
void kng_dtor_exit(void);

#endif /* KNG_DTOR_H */
