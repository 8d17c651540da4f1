/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CPUs' queues of pending jobs. Internal to offload.c.
 */
#ifndef KNG_QUEUE_H
#define KNG_QUEUE_H

#include <linux/compiler.h>
#include <linux/irq_work.h>
#include <linux/llist.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

/**
 * struct kng_queue - a CPU's queue
 * @pending: jobs as they come, from NMI most of all
 * @lock: a raw one, for taking jobs off
 * @rest: off @pending, not yet run; under @lock
 * @may_raise: the irq_work may be raised; written on its own CPU, or before
 *	that runs
 * @longest: most jobs that one run of the irq_work made; written by that
 * @cpu: whose queue it is
 * @irq_work: runs jobs
 * @work: runs what the irq_work leaves
 */
struct kng_queue {
	struct llist_head pending;
	raw_spinlock_t lock;
	struct llist_node *rest;
	bool may_raise;
	unsigned int longest;
	int cpu;
	struct irq_work irq_work;
	struct work_struct work;
};

DECLARE_PER_CPU(struct kng_queue, kng_queues);

/**
 * kng_queue_raise() - have a queue's irq_work run
 * @q: this CPU's queue
 *
 * Context: Any, nested NMI included, with preemption off.
 */
static inline void kng_queue_raise(struct kng_queue *q)
{
	if (READ_ONCE(q->may_raise))
		irq_work_queue(&q->irq_work);
}

/**
 * kng_queues_init() - set up all queues, and follow CPUs that come and go
 * @run_irq_work: the irq_work's function
 * @run_work: the work's
 *
 * Context: Task.
 * Return: 0 or a negative errno.
 */
int kng_queues_init(void (*run_irq_work)(struct irq_work *work),
		    void (*run_work)(struct work_struct *work));

/**
 * kng_queues_quiet() - raise no irq_work any more, and wait for those that run
 *
 * Context: Task; nothing is queued any more.
 */
void kng_queues_quiet(void);

/**
 * kng_queues_exit() - run what is still pending
 *
 * Context: Task; after kng_queues_quiet(), and no work is queued.
 */
void kng_queues_exit(void);

#endif /* KNG_QUEUE_H */
