/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From NMI, or from interrupts off, to a context in which destructors may run.
 */
#ifndef KNG_OFFLOAD_H
#define KNG_OFFLOAD_H

#include <linux/bpf.h>

#include "kng_pool.h"

/**
 * kng_offload_prepare() - take a job for a destructor
 * @dtor: its index, or the error, from kng_dtor_index()
 * @owner: its module or NULL, as for kng_dtor_index(). The job holds a reference on it.
 *
 * If no job is idle, that is counted, and the irq_work logs it.
 *
 * Context: NMI, nested NMI included; any other with interrupts off; between
 *	kng_entry_enter() and kng_entry_exit(). Never sleeps, allocates or locks.
 * Return: a job, for kng_offload_queue() or kng_offload_cancel(); NULL if there
 *	is none.
 */
struct kng_job *kng_offload_prepare(int dtor, struct module *owner);

/**
 * kng_offload_cancel() - return an unused job
 * @job: a job from kng_offload_prepare(); the caller must not use it any more
 *
 * Context: As kng_offload_prepare().
 */
void kng_offload_cancel(struct kng_job *job);

/**
 * kng_offload_queue() - have a job run after the NMI
 * @job: a job from kng_offload_prepare(); the caller must not use it any more
 * @obj: the object whose reference the destructor drops; the reference belongs
 *	to the job from now on
 *
 * Context: As kng_offload_prepare().
 */
void kng_offload_queue(struct kng_job *job, void *obj);

/**
 * kng_offload_schedule() - raise the irq_work of this CPU
 *
 * Used to get out of a context in which no work can be queued: see kng_drain_init().
 *
 * Context: Any, nested NMI included.
 */
void kng_offload_schedule(void);

/**
 * kng_offload_is_short() - ask whether few jobs are idle
 *
 * Context: Any, nested NMI included.
 * Return: true if an NMI may soon find none.
 */
bool kng_offload_is_short(void);

/**
 * kng_offload_report_exhausted() - ask whether to log that no job was left
 *
 * Context: Any but NMI.
 * Return: true once, after it happened for the first time since load.
 */
bool kng_offload_report_exhausted(void);

#endif /* KNG_OFFLOAD_H */
