// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where destructors run: the irq_work, the worker, and CPU hotplug for the queue of a
 * dead CPU. offload.c says who may do what with a queue.
 *
 * The irq_work runs up to `budget' jobs. It leaves the rest to the worker, and with them
 * the jobs of destructors that may not run in hardirq.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "count.h"
#include "delay.h"
#include "drain.h"
#include "dtor.h"
#include "offload.h"
#include "params.h"
#include "pool.h"
#include "queue.h"
#include "trace.h"

static struct workqueue_struct *workqueue;

/* Called at the start of each irq_work run. */
static void (*run_begins)(void);

/*
 * If few jobs are idle, an NMI may find none before the worker is scheduled. Then
 * the irq_work goes on beyond its budget, but runs no more jobs than the pool has.
 */
static bool out_of_budget(unsigned int done, unsigned int budget)
{
	if (done < budget)
		return false;
	return !kng_offload_is_short() || done >= kng_pool_total();
}

/* Account for a number of runs of one destructor. */
static void note_runs(const struct kng_queue *q, unsigned int dtor, enum kng_counter where,
		      unsigned int nr, u64 delay_ns)
{
	trace_run(kng_dtor_note_run(dtor, nr), where == KNG_RUN_HARDIRQ, q->cpu, nr, delay_ns);
}

static struct kng_job *job_of(struct llist_node *node)
{
	return llist_entry(node, struct kng_job, node);
}

/*
 * Jobs that go back to the pool together: fewer exchanges, and an NMI meanwhile finds no
 * more than so many less.
 */
#define CHAIN_JOBS	16

/*
 * Run up to @max jobs from *@list on that have the same destructor, and return how many:
 * piece by piece, each as long as there is room in @chain. Those that are still in @chain
 * afterwards include the last one.
 */
static unsigned int run_same(struct llist_node **list, unsigned int max, struct kng_chain *chain)
{
	struct kng_job *job = job_of(*list);
	const unsigned int dtor = job->dtor;
	const btf_dtor_kfunc_t fn = kng_dtors[dtor].fn;
	unsigned int nr = 0;

	do {
		unsigned int piece, left;
		u32 *end;

		if (chain->nr == CHAIN_JOBS)
			kng_pool_push_chain(&kng_pool, chain);
		piece = min(max - nr, CHAIN_JOBS - chain->nr);
		left = piece;
		end = chain->end;
		/* What can be done once for a piece is not done here. */
		do {
			kng_dtor_call(fn, job->obj);
			end = kng_pool_chain(end, job);
			job = job_of(job->node.next);
		} while (--left && job->dtor == dtor);
		chain->end = end;
		chain->nr += piece - left;
		nr += piece - left;
	} while (nr < max && job->dtor == dtor);
	kng_dtor_put(dtor, nr);
	*list = &job->node;
	return nr;
}

/*
 * Run the @nr jobs of a list, or leave them to the worker. Those that ran are counted in one
 * go, before the last of them goes back to the pool: when nothing is pending, all are counted.
 */
static void run_list(struct kng_queue *q, struct llist_node *list, unsigned int nr,
		     enum kng_counter where, u64 since)
{
	u64 delay_ns = kng_delay_ns(since);
	struct kng_chain chain = KNG_EMPTY_CHAIN(chain);
	unsigned int runs = 0;

	while (nr) {
		struct llist_node *first = list;
		unsigned int dtor = job_of(first)->dtor, same;

		if (where == KNG_RUN_HARDIRQ && !kng_dtor_may_run_in_hardirq(dtor)) {
			list = list->next;
			kng_queue_put_aside(q, first, since);
			nr--;
			continue;
		}
		same = run_same(&list, nr, &chain);
		note_runs(q, dtor, where, same, delay_ns);
		runs += same;
		nr -= same;
	}
	if (!runs)
		return;
	kng_count_many(KNG_RUN, runs);
	kng_count_many(where, runs);
	kng_delay_note(delay_ns, runs);
	kng_pool_push_chain(&kng_pool, &chain);
}

/*
 * Run pending jobs, or leave them to the worker, and store in *@runs how many. Returns
 * true if jobs are left, which the caller has to handle.
 */
static bool drain(struct kng_queue *q, unsigned int budget, enum kng_counter where,
		  unsigned int *runs)
{
	unsigned int done = 0;
	bool left;

	if (WARN_ON_ONCE(in_nmi()))
		kng_count(KNG_BAD_CONTEXT);
	do {
		unsigned int nr = done < budget ? budget - done : budget;
		struct llist_node *first;
		u64 since;

		first = kng_queue_detach(q, &nr, &left, &since);
		if (first)
			run_list(q, first, nr, where, since);
		done += nr;
	} while (left && !out_of_budget(done, budget));

	*runs = done;
	return left;
}

/* In task context. Since Linux 6.14 destructors expect that migration is disabled. */
static bool drain_in_task(struct kng_queue *q, enum kng_counter where, unsigned int *runs)
{
	bool left;

	migrate_disable();
	left = drain(q, kng_params.budget, where, runs);
	migrate_enable();
	return left;
}

static void run_irq_work(struct irq_work *work)
{
	struct kng_queue *q = container_of(work, struct kng_queue, irq_work);
	unsigned int runs;
	bool left;

	run_begins();
	/* On PREEMPT_RT the irq_work is a thread. */
	left = IS_ENABLED(CONFIG_PREEMPT_RT) ? drain_in_task(q, KNG_RUN_HARDIRQ, &runs) :
	       drain(q, kng_params.budget, KNG_RUN_HARDIRQ, &runs);
	if (left)
		kng_count(KNG_HANDOFFS);
	if (left || !llist_empty(&q->aside))
		queue_work_on(q->cpu, workqueue, &q->work);
	if (runs > q->longest)
		WRITE_ONCE(q->longest, runs);
	if (!kng_offload_report_exhausted())
		return;
	trace_no_job(kng_pool_total());
	pr_warn("no job left for a destructor that can't run where it is called: see `leaked', `kept' and `inlined' in the stats, and load with a larger headroom or max_jobs\n");
}

static unsigned int length(const struct llist_node *list)
{
	unsigned int nr = 0;

	for (; list; list = list->next)
		nr++;
	return nr;
}

static void run_work(struct work_struct *work)
{
	struct kng_queue *q = container_of(work, struct kng_queue, work);
	u64 since = READ_ONCE(q->aside_since);
	struct llist_node *aside = llist_del_all(&q->aside);
	unsigned int runs;

	if (aside) {
		migrate_disable();
		run_list(q, aside, length(aside), KNG_RUN_WORKER, since);
		migrate_enable();
	}
	while (drain_in_task(q, KNG_RUN_WORKER, &runs))
		cond_resched();
}

int kng_drain_init(void (*on_run)(void))
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
void kng_drain_exit(void)
{
	kng_queues_stop_raising();
	destroy_workqueue(workqueue);
	kng_queues_exit();
	WARN_ON(kng_pool_in_use());
}

unsigned int kng_drain_longest(void)
{
	unsigned int longest = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		longest = max(longest, READ_ONCE(per_cpu(kng_queues, cpu).longest));
	return longest;
}
