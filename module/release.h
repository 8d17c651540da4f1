/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The release door: defers calls of release kfuncs and destructors.
 */
#ifndef KNG_RELEASE_H
#define KNG_RELEASE_H

#include <linux/bpf.h>

struct kng_group;

/**
 * kng_release_init() - open the release door for the kernel's own types
 * @join: adds hooks that are to share an ftrace_ops with those of releases. If releases
 *	can't be hooked, it is up to the caller to remove them.
 *
 * Asks the kernel for the destructor of each type (probe.c), and hooks the type's
 * release kfunc and destructor. The log says what can't be hooked and what that means.
 *
 * Context: Task; pool and offload are ready.
 * Return: number of guarded types, may be 0; a negative errno if the kernel refuses the
 *	probe maps.
 */
int kng_release_init(void (*join)(struct kng_group *group));

/**
 * kng_release_exit() - close the release door
 *
 * Context: Task; kng_release_add() is not called any more.
 */
void kng_release_exit(void);

/**
 * kng_release_add() - guard the destructor of another module
 * @dtor: the destructor
 * @owner: its module, which can't be unloaded during this call
 *
 * Context: Task, may sleep.
 * Return: 0; -ENOSPC: the table is full; -EOPNOTSUPP; or as kng_hook_install().
 */
int kng_release_add(btf_dtor_kfunc_t dtor, struct module *owner);

/**
 * kng_release_remove() - undo kng_release_add() for all destructors of a module
 * @owner: the module, which is being unloaded
 *
 * If the hook outlived the function, it would break the next module at that address.
 *
 * Context: Task, may sleep.
 */
void kng_release_remove(struct module *owner);

#endif /* KNG_RELEASE_H */
