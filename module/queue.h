/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The queues of pending jobs, one for each CPU. Only offload.c uses this.
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
 * struct kng_queue - the queue of one CPU
 * @pending: new jobs; most come from NMI
 * @lock: raw lock, held while jobs are detached
 * @since: when the first job of @pending was added, of kng_delay_now(). A job that is
 *	detached at that moment on another CPU may see an older time.
 * @rest_since: when the first job of @rest was added; under @lock
 * @rest: jobs that were removed from @pending but not yet detached; under @lock
 * @aside: jobs that only the worker may run. The irq_work adds to it, the worker takes all.
 * @aside_since: when the first job of @aside was added to @pending, or earlier
 * @may_raise: the irq_work may be raised. Written on this CPU, or before it runs.
 * @longest: largest number of jobs in one irq_work run; written by the irq_work
 * @cpu: number of this CPU
 * @irq_work: runs jobs
 * @work: runs the jobs that the irq_work leaves
 */
struct kng_queue {
	struct llist_head pending;
	u64 since;
	raw_spinlock_t lock;
	struct llist_node *rest;
	u64 rest_since;
	struct llist_head aside;
	u64 aside_since;
	bool may_raise;
	unsigned int longest;
	int cpu;
	struct irq_work irq_work;
	struct work_struct work;
};

DECLARE_PER_CPU(struct kng_queue, kng_queues);

/**
 * kng_queue_add() - add a job to the pending list
 * @q: the queue of this CPU
 * @node: the job's
 *
 * This is llist_add(), which calls a function that can be traced before Linux 6.17.
 *
 * Context: Any, nested NMI included, with preemption off. Never sleeps, allocates
 *	or locks.
 * Return: true if the list was empty.
 */
static inline bool kng_queue_add(struct kng_queue *q, struct llist_node *node)
{
	struct llist_node *first = READ_ONCE(q->pending.first);

	do {
		node->next = first;
		/* Fully ordered; pairs with llist_del_all(): the job is visible before its node. */
	} while (!try_cmpxchg(&q->pending.first, &first, node));
	return !first;
}

/**
 * kng_queue_raise() - raise the irq_work of a queue
 * @q: the queue of this CPU
 *
 * Context: Any, nested NMI included, with preemption off.
 */
static inline void kng_queue_raise(struct kng_queue *q)
{
	if (READ_ONCE(q->may_raise))
		irq_work_queue(&q->irq_work);
}

/**
 * kng_queue_detach() - take jobs off a queue
 * @q: the queue, of any CPU
 * @nr: how many at most; set to how many there are
 * @left: set to whether more are in it
 * @since: set to when the first of them was added, of kng_delay_now()
 *
 * Context: Any but NMI.
 * Return: the jobs, linked by their nodes; the link of the last one means nothing.
 *	NULL if there are none.
 */
struct llist_node *kng_queue_detach(struct kng_queue *q, unsigned int *nr, bool *left, u64 *since);

/**
 * kng_queue_put_aside() - leave a job to the worker
 * @q: the queue
 * @node: a detached job, which may not run in hardirq
 * @since: when it was added, or earlier, of kng_delay_now()
 *
 * Context: The irq_work of @q.
 */
void kng_queue_put_aside(struct kng_queue *q, struct llist_node *node, u64 since);

/**
 * kng_queues_init() - initialise all queues and follow CPU hotplug
 * @run_irq_work: function of the irq_work
 * @run_work: function of the work; also called for the queue of a dead CPU
 *
 * Context: Task.
 * Return: 0 or a negative errno.
 */
int kng_queues_init(void (*run_irq_work)(struct irq_work *work),
		    void (*run_work)(struct work_struct *work));

/**
 * kng_queues_stop_raising() - raise no irq_work any more and wait for running ones
 *
 * Context: Task; nothing is added to the queues any more.
 */
void kng_queues_stop_raising(void);

/**
 * kng_queues_exit() - run the jobs that are still pending
 *
 * Context: Task; after kng_queues_stop_raising(), when no work is queued.
 */
void kng_queues_exit(void);

#endif /* KNG_QUEUE_H */
