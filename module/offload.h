/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From NMI, or with interrupts off, to a context where destructors may run.
 */
#ifndef KNG_OFFLOAD_H
#define KNG_OFFLOAD_H

#include <linux/bpf.h>

#include "kng_pool.h"

#define KNG_BUDGET_DEFAULT	64
#define KNG_BUDGET_MIN		1
#define KNG_BUDGET_MAX		65536

/**
 * kng_offload_prepare() - take a job for a destructor
 * @dtor: the destructor
 * @owner: its module or NULL, as for kng_dtor_get()
 *
 * If there is none, that is counted, and logged by the irq_work.
 *
 * Context: NMI, nested included, or another with interrupts off. Never sleeps, allocates or locks.
 * Return: a job, for kng_offload_queue() or kng_offload_cancel(); NULL if none
 *	is left.
 */
struct kng_job *kng_offload_prepare(btf_dtor_kfunc_t dtor, struct module *owner);

/**
 * kng_offload_cancel() - give a job back that was not needed
 * @job: from kng_offload_prepare(); not the caller's any more
 *
 * Context: As kng_offload_prepare().
 */
void kng_offload_cancel(struct kng_job *job);

/**
 * kng_offload_queue() - hand over a job; its destructor runs later
 * @job: from kng_offload_prepare(); the offload's from now on
 * @obj: the reference that the destructor gives back; the offload's too
 *
 * Context: As kng_offload_prepare().
 */
void kng_offload_queue(struct kng_job *job, void *obj);

/**
 * kng_offload_init() - set up the queues of all CPUs
 * @budget: destructors that one irq_work run may call
 *
 * Context: Task; before anything is hooked.
 * Return: 0 or a negative errno.
 */
int kng_offload_init(unsigned int budget);

/**
 * kng_offload_exit() - run what is pending and stop
 *
 * Context: Task; after everything was unhooked.
 */
void kng_offload_exit(void);

/**
 * kng_offload_poke() - have kng_reserve_look() called on this CPU, soon
 *
 * Context: Any, nested NMI included.
 */
void kng_offload_poke(void);

/**
 * kng_offload_longest() - most jobs that one run of an irq_work made since load
 *
 * Context: Any.
 * Return: their number; more than the budget only where jobs were short.
 */
unsigned int kng_offload_longest(void);

#endif /* KNG_OFFLOAD_H */
