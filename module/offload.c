// SPDX-License-Identifier: GPL-2.0-only
/*
 * From NMI to a context in which destructors may run.
 *
 * Each CPU has a queue. In NMI a job is added to the pending list of its CPU's
 * queue. (With defer=irqsoff, the same happens with interrupts off. "In NMI" below
 * includes that.) The first job of an empty list raises the CPU's irq_work. The
 * irq_work runs up to `budget' jobs, and a worker runs the rest.
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
 *   an NMI. They hold it only while they cut up to `budget' jobs off a list, not
 *   while they run destructors. So a worker that is preempted keeps at most
 *   `budget' jobs to itself, and the irq_work runs the others.
 *
 * No job stays behind. A job that is added to an empty pending list raises the
 * irq_work. A job that is added behind others is detached together with them.
 * Whoever leaves jobs in `rest' queues the worker. If the worker does not get to
 * run, the pending list may never become empty again, so the irq_work is also
 * raised whenever the pool is short of idle jobs.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "count.h"
#include "delay.h"
#include "dtor.h"
#include "offload.h"
#include "params.h"
#include "pool.h"
#include "queue.h"
#include "trace.h"

static struct workqueue_struct *workqueue;

/* Called at the start of each irq_work run. */
static void (*run_begins)(void);

/* Whether the pool ran out of jobs, and whether the log says so. */
static atomic_t exhausted;

enum { EXHAUSTED_NO, EXHAUSTED_SEEN, EXHAUSTED_LOGGED };

static int low_water(u32 total)
{
	return clamp(total / 8, 1U, 512U);
}

static bool is_short(void)
{
	return kng_pool_idle(&kng_pool) < low_water(kng_pool_total());
}

/* Let the irq_work log that no job was left, once since load. NMIs can't log. */
static void report_exhausted(void)
{
	if (atomic_cmpxchg(&exhausted, EXHAUSTED_NO, EXHAUSTED_SEEN) == EXHAUSTED_NO)
		kng_queue_raise(this_cpu_ptr(&kng_queues));
}

static __always_inline struct kng_job *prepare(int dtor, struct module *owner)
{
	struct kng_job *job = kng_pool_pop(&kng_pool);

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

static __always_inline void queue(struct kng_job *job, void *obj)
{
	struct kng_queue *q = this_cpu_ptr(&kng_queues);
	bool first;

	job->obj = obj;
	kng_count(KNG_TAKEN);
	/* Pairs with llist_del_all() in kng_queue_detach(): the job is visible with its fields. */
	first = kng_queue_add(q, &job->node);
	if (first)
		WRITE_ONCE(q->since, kng_delay_now());
	if (first || kng_pool_low(&kng_pool, low_water(kng_pool_total())))
		kng_queue_raise(q);
}

struct kng_job *kng_offload_prepare(int dtor, struct module *owner)
{
	return prepare(dtor, owner);
}

void kng_offload_queue(struct kng_job *job, void *obj)
{
	queue(job, obj);
}

bool kng_offload_defer(int dtor, struct module *owner, void *obj)
{
	struct kng_job *job = prepare(dtor, owner);

	if (unlikely(!job))
		return false;
	queue(job, obj);
	return true;
}

void kng_offload_cancel(struct kng_job *job)
{
	kng_dtor_put(job->dtor);
	kng_pool_push(&kng_pool, job);
}

void kng_offload_schedule(void)
{
	preempt_disable_notrace();
	kng_queue_raise(this_cpu_ptr(&kng_queues));
	preempt_enable_notrace();
}

/*
 * If few jobs are idle, an NMI may find none before the worker is scheduled. Then
 * the irq_work goes on beyond its budget, but runs no more jobs than the pool has.
 */
static bool out_of_budget(unsigned int done, unsigned int budget)
{
	if (done < budget)
		return false;
	return !is_short() || done >= kng_pool_total();
}

/* Account for a number of runs of one destructor. */
static void note_runs(const struct kng_queue *q, unsigned int dtor, enum kng_counter where,
		      unsigned int nr, u64 delay_ns)
{
	trace_run(kng_dtor_note_run(dtor, nr), where == KNG_RUN_HARDIRQ, q->cpu, nr, delay_ns);
}

/*
 * Run the jobs of a list, and return how many. They are counted in one go, before the
 * last of them goes back to the pool: when nothing is pending, all are counted.
 */
static unsigned int run_list(const struct kng_queue *q, struct llist_node *node,
			     enum kng_counter where, u64 delay_ns)
{
	unsigned int nr = 0, noted = 0;

	while (node) {
		struct kng_job *job = llist_entry(node, struct kng_job, node);
		unsigned int dtor = job->dtor;

		node = node->next;
		kng_dtor_call(dtor, job->obj);
		nr++;
		if (!node || llist_entry(node, struct kng_job, node)->dtor != dtor) {
			note_runs(q, dtor, where, nr - noted, delay_ns);
			noted = nr;
		}
		if (!node) {
			kng_count_many(KNG_RUN, nr);
			kng_count_many(where, nr);
			kng_delay_note(delay_ns, nr);
		}
		kng_pool_push(&kng_pool, job);
	}
	return nr;
}

/*
 * Run pending jobs, and store in *@runs how many. Returns true if jobs are left,
 * which the caller has to handle.
 */
static bool drain(struct kng_queue *q, unsigned int budget, enum kng_counter where,
		  unsigned int *runs)
{
	unsigned int done = 0;
	bool left;

	if (WARN_ON_ONCE(in_nmi()))
		kng_count(KNG_BAD_CONTEXT);
	do {
		unsigned int max = done < budget ? budget - done : budget;

		struct llist_node *first;
		u64 since;

		first = kng_queue_detach(q, max, &left, &since);
		if (first)
			done += run_list(q, first, where, kng_delay_ns(since));
	} while (left && !out_of_budget(done, budget));

	*runs = done;
	return left;
}

static void run_irq_work(struct irq_work *work)
{
	struct kng_queue *q = container_of(work, struct kng_queue, irq_work);
	unsigned int runs;

	run_begins();
	if (drain(q, kng_params.budget, KNG_RUN_HARDIRQ, &runs)) {
		kng_count(KNG_HANDOFFS);
		queue_work_on(q->cpu, workqueue, &q->work);
	}
	if (runs > q->longest)
		WRITE_ONCE(q->longest, runs);
	if (atomic_cmpxchg(&exhausted, EXHAUSTED_SEEN, EXHAUSTED_LOGGED) != EXHAUSTED_SEEN)
		return;
	trace_no_job(kng_pool_total());
	pr_warn("no job left for a destructor that can't run where it is called: see `leaked', `kept' and `inlined' in the stats, and load with a larger headroom or max_jobs\n");
}

static void run_work(struct work_struct *work)
{
	struct kng_queue *q = container_of(work, struct kng_queue, work);
	unsigned int runs;

	while (drain(q, kng_params.budget, KNG_RUN_WORKER, &runs))
		cond_resched();
}

int kng_offload_init(void (*on_run)(void))
{
	int ret;

	run_begins = on_run;
	kng_delay_init();
	workqueue = alloc_workqueue("kptr_nmi_guard", WQ_HIGHPRI | KNG_WQ_PERCPU, 0);
	if (!workqueue)
		return -ENOMEM;
	ret = kng_queues_init(run_irq_work, run_work);
	if (ret)
		destroy_workqueue(workqueue);
	return ret;
}

/*
 * Nothing is hooked any more, so no job is added. After the first step no irq_work
 * is raised or running. Only the irq_work queues the worker, so
 * destroy_workqueue() waits for the last one. The last step runs the jobs that are
 * still pending.
 */
void kng_offload_exit(void)
{
	kng_queues_stop_raising();
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
