// SPDX-License-Identifier: GPL-2.0-only
/*
 * From NMI to a context where destructors may run.
 *
 * Each CPU has a queue. In NMI (or, here and below, where defer=irqsoff takes
 * over) a job goes to the pending list of its CPU, and
 * the first one of an empty list raises that CPU's irq_work. The irq_work runs
 * up to `budget' jobs and leaves the rest to a worker. It is a plain one, not
 * IRQ_WORK_HARD_IRQ: on PREEMPT_RT destructors then run in the irq_work
 * thread, where they may take sleeping locks.
 *
 * Who may do what with one queue at the same time:
 *
 *			queue		detach
 *	queue (NMI)	 -		 -
 *	detach		 -		 L
 *
 * queue/queue, queue/detach: llist_add() against llist_add() and
 *   llist_del_all() needs no lock (see linux/llist.h).
 * L: the queue's lock, a raw one. The irq_work, the worker, and hotplug take it,
 *   never in NMI and for no longer than it takes to cut `budget' jobs off a
 *   list; destructors run without it. So a worker that is preempted while it
 *   runs jobs keeps at most `budget' of them to itself, and the irq_work goes
 *   on with the others.
 *
 * No job is left behind: one that goes to an empty pending list raises the
 * irq_work; one behind others in the list is taken off with them; and who
 * leaves jobs in `rest' queues the worker. Should that be kept from running, the
 * list may never be empty again: so who finds the pool short raises too.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "dtor.h"
#include "offload.h"
#include "pool.h"
#include "queue.h"
#include "reserve.h"
#include "stats.h"

static struct workqueue_struct *workqueue;
static unsigned int hardirq_budget;
static atomic_t exhausted;

enum { EXHAUSTED_NO, EXHAUSTED_SEEN, EXHAUSTED_TOLD };

static int low_water(u32 total)
{
	return clamp(total / 8, 1U, 512U);
}

static bool is_short(void)
{
	return kng_pool_idle(&kng_pool) < low_water(kng_pool_total());
}

/* Have this CPU log from its irq_work that jobs ran out; once since load. */
static void report_exhausted(void)
{
	if (atomic_cmpxchg(&exhausted, EXHAUSTED_NO, EXHAUSTED_SEEN) == EXHAUSTED_NO)
		kng_queue_raise(this_cpu_ptr(&kng_queues));
}

struct kng_job *kng_offload_prepare(btf_dtor_kfunc_t dtor, struct module *owner)
{
	struct kng_job *job = kng_pool_pop(&kng_pool);
	int index;

	if (!job) {
		kng_count(KNG_EMPTY);
		report_exhausted();
		return NULL;
	}
	index = kng_dtor_get(dtor, owner);
	if (index < 0) {
		kng_count(KNG_TABLE_FULL);
		kng_pool_push(&kng_pool, job);
		return NULL;
	}
	job->dtor = index;
	return job;
}

void kng_offload_cancel(struct kng_job *job)
{
	kng_dtor_put(job->dtor);
	kng_pool_push(&kng_pool, job);
}

void kng_offload_poke(void)
{
	preempt_disable_notrace();
	kng_queue_raise(this_cpu_ptr(&kng_queues));
	preempt_enable_notrace();
}

void kng_offload_queue(struct kng_job *job, void *obj)
{
	struct kng_queue *q = this_cpu_ptr(&kng_queues);

	job->obj = obj;
	kng_count(KNG_TAKEN);
	/*
	 * Fully ordered: pairs with llist_del_all() in detach(): obj and dtor
	 * are visible before the job is.
	 */
	if (llist_add(&job->node, &q->pending) || is_short())
		kng_queue_raise(q);
}

/* Take up to @max jobs off the queue; *@left tells if there were more. */
static struct llist_node *detach(struct kng_queue *q, unsigned int max, bool *left)
{
	struct llist_node *first, *node;
	unsigned long flags;

	raw_spin_lock_irqsave(&q->lock, flags);
	if (!q->rest)
		q->rest = llist_del_all(&q->pending);
	first = q->rest;
	for (node = first; node && --max; node = node->next)
		;
	q->rest = NULL;
	if (node) {
		q->rest = node->next;
		node->next = NULL;
	}
	*left = q->rest || !llist_empty(&q->pending);
	raw_spin_unlock_irqrestore(&q->lock, flags);
	return first;
}

static void run_job(struct kng_job *job, enum kng_counter where)
{
	if (WARN_ON_ONCE(in_nmi()))
		kng_count(KNG_BAD_CONTEXT);
	kng_dtor_call(job->dtor, job->obj);
	kng_pool_push(&kng_pool, job);
	kng_count(KNG_RUN);
	kng_count(where);
}

/*
 * With few jobs left in the pool, waiting for the worker to be scheduled could
 * leave an NMI without one: then the irq_work goes on past its budget. Even so
 * it ends, after as many jobs as there are.
 */
static bool out_of_budget(unsigned int done, unsigned int budget)
{
	if (done < budget)
		return false;
	return !is_short() || done >= kng_pool_total();
}

/*
 * Run pending jobs, and count them in *@runs. True if some are left: the caller
 * has to see to them.
 */
static bool drain(struct kng_queue *q, unsigned int budget, enum kng_counter where,
		  unsigned int *runs)
{
	unsigned int done = 0;
	bool left;

	do {
		unsigned int max = done < budget ? budget - done : budget;
		struct llist_node *node = detach(q, max, &left);

		while (node) {
			struct kng_job *job = llist_entry(node, struct kng_job, node);

			node = node->next;
			run_job(job, where);
			done++;
		}
	} while (left && !out_of_budget(done, budget));

	*runs = done;
	return left;
}

static void run_irq_work(struct irq_work *work)
{
	struct kng_queue *q = container_of(work, struct kng_queue, irq_work);
	unsigned int runs;

	kng_reserve_look();
	if (drain(q, hardirq_budget, KNG_RUN_HARDIRQ, &runs)) {
		kng_count(KNG_HANDOFFS);
		queue_work_on(q->cpu, workqueue, &q->work);
	}
	if (runs > q->longest)
		WRITE_ONCE(q->longest, runs);
	if (atomic_cmpxchg(&exhausted, EXHAUSTED_SEEN, EXHAUSTED_TOLD) == EXHAUSTED_SEEN)
		pr_warn("no job left for a destructor that can't run where it is called; see `leaked', `kept' and `inlined' in the stats, and raise the parameter max_jobs, or headroom\n");
}

static void run_work(struct work_struct *work)
{
	struct kng_queue *q = container_of(work, struct kng_queue, work);
	unsigned int runs;

	while (drain(q, hardirq_budget, KNG_RUN_WORKER, &runs))
		cond_resched();
}

int kng_offload_init(unsigned int budget)
{
	int ret;

	hardirq_budget = budget;
	workqueue = alloc_workqueue("kptr_nmi_guard", WQ_HIGHPRI | KNG_WQ_PERCPU, 0);
	if (!workqueue)
		return -ENOMEM;
	ret = kng_queues_init(run_irq_work, run_work);
	if (ret)
		destroy_workqueue(workqueue);
	return ret;
}

/*
 * Nothing is hooked, so nothing is queued any more. After the first step no
 * irq_work is raised or runs. Workers are queued by the irq_work only;
 * destroy_workqueue() waits for them. The last step runs what is still pending.
 */
void kng_offload_exit(void)
{
	kng_queues_quiet();
	destroy_workqueue(workqueue);
	kng_queues_exit();
	WARN_ON(kng_pool_in_use());
}

unsigned int kng_offload_longest(void)
{
	unsigned int longest = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		longest = max(longest, READ_ONCE(per_cpu(kng_queues, cpu).longest));
	return longest;
}
