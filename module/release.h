/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The release door: what the guard does where a reference is released, by a
 * program's own call or by a destructor.
 */
#ifndef KNG_RELEASE_H
#define KNG_RELEASE_H

#include <linux/bpf.h>

#include "hook.h"

struct seq_file;

enum { KNG_DTOR, KNG_KFUNC };

/**
 * struct kng_release_type - a type whose references are deferred
 * @name: of the type
 * @hook: its destructor and its release kfunc, in the order KNG_DTOR, KNG_KFUNC
 * @put_not_last: give the reference back here and now if it can't be the last
 *	one, and return true; NULL where nobody can tell
 * @get: take one more reference; NULL where that can't be done
 * @nmi_safe: the destructor may run in NMI
 * @dtor: NULL if unknown to this kernel
 * @owner: module of @dtor; NULL for the kernel
 */
struct kng_release_type {
	const char *name;
	struct kng_hook hook;
	bool (*put_not_last)(void *obj);
	void (*get)(void *obj);
	bool nmi_safe;
	btf_dtor_kfunc_t dtor;
	struct module *owner;
};

/**
 * kng_release_divert() - defer a call of a release function
 * @hook: of a struct kng_release_type
 * @obj: the reference
 * @unused: the function's second argument
 *
 * Context: NMI, nested included, or another with interrupts off. Never sleeps, allocates or locks.
 * Return: true if the function is to be skipped.
 */
bool kng_release_divert(struct kng_hook *hook, unsigned long obj, unsigned long unused);

/**
 * kng_release_init() - open the release door
 *
 * Asks the kernel for the destructor of each known type (probe.c), and hooks
 * the type's release kfunc and destructor. Says in the log what can't be
 * guarded and what that costs.
 *
 * Context: Task; pool and offload are ready.
 * Return: number of types that are guarded, 0 included; a negative errno if the
 *	kernel refuses the probe maps.
 */
int kng_release_init(void);

/**
 * kng_release_exit() - close the release door
 *
 * Context: Task.
 */
void kng_release_exit(void);

/**
 * kng_release_guards() - ask if calls of a destructor are deferred by this door
 * @dtor: a destructor
 *
 * Context: Any, nested NMI included.
 * Return: true if they are.
 */
bool kng_release_guards(btf_dtor_kfunc_t dtor);

/**
 * kng_release_knows() - ask if a destructor is of one of the kernel's own types
 * @dtor: a destructor
 *
 * Context: Any, nested NMI included.
 * Return: true if it is, guarded or not.
 */
bool kng_release_knows(btf_dtor_kfunc_t dtor);

/**
 * kng_release_nmi_safe() - ask if a destructor may run in NMI
 * @dtor: a destructor
 *
 * Context: Any, nested NMI included.
 * Return: true if that is known.
 */
bool kng_release_nmi_safe(btf_dtor_kfunc_t dtor);

/**
 * kng_release_missed() - calls that the door's kprobes missed
 *
 * Context: Any but NMI.
 * Return: their number; 0 with ftrace.
 */
unsigned long kng_release_missed(void);

/**
 * kng_release_show() - write a line for each type
 * @m: where to
 *
 * Context: Task.
 */
void kng_release_show(struct seq_file *m);

#endif /* KNG_RELEASE_H */
