/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of known destructors. A job stores an index into this table instead of
 * a function pointer, which keeps jobs small, and the table says which module must
 * stay loaded.
 */
#ifndef KNG_DTOR_H
#define KNG_DTOR_H

#include <linux/atomic.h>
#include <linux/bpf.h>
#include <linux/module.h>

#include "entry.h"
#include "kng_pool.h"
#include "params.h"

#define KNG_NR_DTORS	(1U << KNG_DTOR_BITS)

/**
 * struct kng_dtor - a known destructor
 * @fn: the destructor; NULL unless the entry is published
 * @owner: its module; valid while @fn is set
 * @hardirq: the destructor may run in hardirq
 * @claimed: somebody writes the entry, or has written it
 * @nr_run: how often it was run. Runs that end while the module of an entry is unloaded
 *	may be missed.
 */
struct kng_dtor {
	btf_dtor_kfunc_t fn;
	struct module *owner;
	bool hardirq;
	atomic_t claimed;
	atomic64_t nr_run;
};

/* Written by dtor.c only. */
extern struct kng_dtor kng_dtors[KNG_NR_DTORS];

struct seq_buf;

/**
 * kng_dtor_index() - find the index of a destructor
 * @fn: the destructor
 * @owner: the module that contains @fn; NULL for the kernel itself. The caller
 *	knows that @owner can't be unloaded during this call, because a map's record
 *	or code that runs in @owner holds a reference on it.
 *
 * Adds @fn to the table if it is not in there. The index is valid until @owner is
 * unloaded.
 *
 * Context: Any, nested NMI included. Never sleeps, allocates or locks.
 * Return: an index; -ENOSPC if the table is full of other destructors.
 */
int kng_dtor_index(btf_dtor_kfunc_t fn, struct module *owner);

/**
 * kng_dtor_allow_hardirq() - a destructor of the kernel may run in hardirq
 * @index: the index of the destructor
 *
 * Destructors that nobody has read run in task context only: what they call may not be
 * allowed in hardirq, as kfree_skb() is not.
 *
 * Context: Task.
 */
static inline void kng_dtor_allow_hardirq(unsigned int index)
{
	WRITE_ONCE(kng_dtors[index].hardirq, true);
}

/**
 * kng_dtor_may_run_in_hardirq() - ask what kng_dtor_allow_hardirq() said
 * @index: the index of the destructor
 *
 * Context: Any but NMI.
 * Return: true if so.
 */
static inline bool kng_dtor_may_run_in_hardirq(unsigned int index)
{
	return READ_ONCE(kng_dtors[index].hardirq);
}

/**
 * kng_dtor_put() - drop jobs' references on the module of their destructor
 * @index: the index of the destructor
 * @nr: how many jobs; at least one
 *
 * Context: Any, nested NMI included.
 */
static inline void kng_dtor_put(unsigned int index, unsigned int nr)
{
	struct module *owner = kng_dtors[index].owner;

	/* Destructors of the kernel itself have no module: that is most of them. */
	if (unlikely(owner)) {
		while (nr--)
			module_put(owner);
	}
}

/**
 * kng_dtor_call() - run a destructor
 * @fn: the destructor; a job holds a reference on its module
 * @obj: the object whose reference the destructor drops
 *
 * Context: Task, softirq or hardirq; never NMI.
 */
static __always_inline void kng_dtor_call(btf_dtor_kfunc_t fn, void *obj)
{
	if (kng_entry_defers_irqsoff()) {
		void *mark = kng_entry_mark_own_call(obj);

		fn(obj);
		kng_entry_mark_own_call(mark);
	} else {
		fn(obj);
	}
}

/**
 * kng_dtor_note_run() - count runs of a destructor
 * @index: the index of the destructor
 * @nr: number of runs
 *
 * Context: Any but NMI.
 * Return: the destructor, as long as its module is loaded.
 */
btf_dtor_kfunc_t kng_dtor_note_run(unsigned int index, unsigned int nr);

/**
 * kng_dtor_show() - print one line of the stats for each destructor that was run
 * @m: where to print
 *
 * Context: Task.
 */
void kng_dtor_show(struct seq_buf *m);

/**
 * kng_dtor_init() - start to free the entries of modules that are unloaded
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
