/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of guarded types. The release door hooks their functions; the other files
 * ask about them. It starts with the kernel's own types. The entries behind them are
 * for destructors of other modules, each of which is a type of its own here.
 */
#ifndef KNG_TYPES_H
#define KNG_TYPES_H

#include <linux/bpf.h>
#include <linux/mutex.h>

#include "entry.h"

struct seq_buf;

/* The functions of a type, in the order of struct kng_hook. */
enum { KNG_DTOR, KNG_KFUNC };

/**
 * struct kng_type - a type whose references are deferred
 * @name: name of the type, or of the module that has the destructor
 * @hook: hooks the destructor and the release kfunc, if there is one
 * @put: for a type without a destructor: what a job calls in its place. Maps can't own
 *	references to such a type, but programs can.
 * @get: takes one more reference; NULL if that can't be done
 * @nmi_safe: the destructor may run in NMI
 * @dtor: the destructor, or @put; NULL if the kernel has no such type, or the entry is
 *	free
 * @owner: module of @dtor; NULL for the kernel
 * @index: index of @dtor in the table of destructors, or an error
 */
struct kng_type {
	const char *name;
	struct kng_hook hook;
	btf_dtor_kfunc_t put;
	void (*get)(void *obj);
	bool nmi_safe;
	btf_dtor_kfunc_t dtor;
	struct module *owner;
	int index;
};

/* Number of entries for destructors of other modules. */
#define KNG_NR_LEARNT	8

enum {
	KNG_TYPE_TASK,
#ifdef CONFIG_CGROUPS
	KNG_TYPE_CGROUP,
#endif
	KNG_TYPE_CPUMASK,
	KNG_TYPE_CRYPTO_CTX,
#ifdef CONFIG_MEMCG
	KNG_TYPE_MEM_CGROUP,
#endif
	KNG_TYPE_LEARNT,	/* first entry that is not of the kernel itself */
	KNG_NR_TYPES = KNG_TYPE_LEARNT + KNG_NR_LEARNT,
};

extern struct kng_type kng_types[KNG_NR_TYPES];

/*
 * Held to change an entry from KNG_TYPE_LEARNT on. The entry's dtor is set before its
 * hook is installed and cleared after the hook is removed. So a reader without the lock
 * may see a dtor that is not hooked yet, but never a hook without its dtor.
 */
extern struct mutex kng_types_lock;

/**
 * kng_types_free_entry() - find a free entry for a destructor of another module
 *
 * Context: Task, under kng_types_lock.
 * Return: the entry; NULL if all are in use.
 */
struct kng_type *kng_types_free_entry(void);

/**
 * kng_types_guards() - ask whether the release door defers calls of a destructor
 * @dtor: the destructor
 *
 * Context: Any, nested NMI included.
 * Return: true if it does.
 */
bool kng_types_guards(btf_dtor_kfunc_t dtor);

/**
 * kng_types_knows() - ask whether a destructor belongs to a type of the kernel
 * @dtor: the destructor
 *
 * Context: Any, nested NMI included.
 * Return: true if it does, whether it is guarded or not.
 */
bool kng_types_knows(btf_dtor_kfunc_t dtor);

/**
 * kng_types_nmi_safe() - ask whether a destructor may run in NMI
 * @dtor: the destructor
 *
 * Context: Any, nested NMI included.
 * Return: true if it is known to be safe.
 */
bool kng_types_nmi_safe(btf_dtor_kfunc_t dtor);

/**
 * kng_types_missed() - number of calls that the kprobes of all types missed
 *
 * Context: Any but NMI.
 * Return: a lower bound; 0 with ftrace.
 */
unsigned long kng_types_missed(void);

/**
 * kng_types_show_missing() - print the types of which a function is not hooked
 * @m: where to print, as `, door_release_NAME=STATE'
 *
 * Types whose destructor is safe in NMI are left out.
 *
 * Context: Task.
 */
void kng_types_show_missing(struct seq_buf *m);

/**
 * kng_types_show() - print one line of the stats for each type
 * @m: where to print
 *
 * Context: Task.
 */
void kng_types_show(struct seq_buf *m);

#endif /* KNG_TYPES_H */
