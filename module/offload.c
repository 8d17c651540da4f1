// SPDX-License-Identifier: GPL-2.0-only
/*
 * From NMI to a context in which destructors may run.
 *
 * Each CPU has a queue. In NMI a job is added to the pending list of its CPU's
 * queue. (With defer=irqsoff, the same happens with interrupts off. "In NMI" below
 * includes that.) The first job of an empty list raises the CPU's irq_work. The
 * irq_work runs up to `budget' jobs, and a worker runs the rest. Jobs of destructors
 * that nobody has read are put aside: the worker runs them all.
 *
 * The irq_work is a plain one, not IRQ_WORK_HARD_IRQ. So on PREEMPT_RT destructors
 * run in the irq_work thread, where they may take sleeping locks.
 *
 * Which operations on one queue can run at the same time:
 *
 *			add		detach
 *	add (NMI)	 -		 -
 *	detach		 -		 L
 *
 * add/add, add/detach: llist_add() needs no lock against llist_add() and
 *   llist_del_all() (see linux/llist.h).
 * L: the queue's raw lock. The irq_work, the worker and CPU hotplug take it, never
 *   an NMI. They hold it only while they take up to `budget' jobs off a list, not
 *   while they run destructors. So a worker that is preempted keeps at most
 *   `budget' jobs to itself, and the irq_work runs the others.
 *
 * No job stays behind. A job that is added to an empty pending list raises the
 * irq_work. A job that is added behind others is detached together with them.
 * Whoever leaves jobs in `rest' or `aside' queues the worker. If the worker does not get to
 * run, the pending list may never become empty again, so the irq_work is also
 * raised whenever the pool is short of idle jobs.
 */
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/preempt.h>

#include "count.h"
#include "delay.h"
#include "dtor.h"
#include "offload.h"
#include "pool.h"
#include "queue.h"

/* Whether the pool ran out of jobs, and whether the log says so. */
static atomic_t exhausted;

enum { EXHAUSTED_NO, EXHAUSTED_SEEN, EXHAUSTED_LOGGED };

bool kng_offload_is_short(void)
{
	return kng_pool_idle(&kng_pool) < (int)READ_ONCE(kng_pool.low);
}

/* Let the irq_work log that no job was left, once since load. NMIs can't log. */
static void report_exhausted(void)
{
	if (atomic_cmpxchg(&exhausted, EXHAUSTED_NO, EXHAUSTED_SEEN) == EXHAUSTED_NO)
		kng_queue_raise(this_cpu_ptr(&kng_queues));
}

bool kng_offload_report_exhausted(void)
{
	return atomic_cmpxchg(&exhausted, EXHAUSTED_SEEN, EXHAUSTED_LOGGED) == EXHAUSTED_SEEN;
}

/* @job: from this CPU's stack, or NULL. What is rare comes here, out of the way. */
static noinline struct kng_job *prepare_slowly(struct kng_job *job, int dtor, struct module *owner)
{
	if (!job)
		job = kng_pool_pop(&kng_pool);
	if (unlikely(!job)) {
		kng_count(KNG_EMPTY);
		report_exhausted();
		return NULL;
	}
	if (unlikely(dtor < 0 || (owner && !try_module_get(owner)))) {
		kng_count(KNG_TABLE_FULL);
		kng_pool_push(&kng_pool, job);
		return NULL;
	}
	job->dtor = dtor;
	return job;
}

struct kng_job *kng_offload_prepare(int dtor, struct module *owner)
{
	struct kng_job *job = kng_pool_pop_own(&kng_pool);

	if (unlikely(!job || owner || dtor < 0))
		return prepare_slowly(job, dtor, owner);
	job->dtor = dtor;
	return job;
}

static noinline void raise(struct kng_queue *q, bool first)
{
	if (first)
		WRITE_ONCE(q->since, kng_delay_now());
	kng_queue_raise(q);
}

void kng_offload_queue(struct kng_job *job, void *obj)
{
	struct kng_queue *q = this_cpu_ptr(&kng_queues);
	bool first;

	job->obj = obj;
	kng_count_entered(KNG_TAKEN);
	/* Pairs with llist_del_all() in kng_queue_detach(): the job is visible with its fields. */
	first = kng_queue_add(q, &job->node);
	if (unlikely(first || kng_pool_low(&kng_pool)))
		raise(q, first);
}

void kng_offload_cancel(struct kng_job *job)
{
	kng_dtor_put(job->dtor, 1);
	kng_pool_push(&kng_pool, job);
}

void kng_offload_schedule(void)
{
	preempt_disable_notrace();
	kng_queue_raise(this_cpu_ptr(&kng_queues));
	preempt_enable_notrace();
}
