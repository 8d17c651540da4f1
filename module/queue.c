// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queues of pending jobs, and what happens to them when CPUs go offline.
 *
 * An irq_work that is raised while its CPU dies stays on that CPU's list until
 * the CPU comes back, and irq_work_sync() at unload would wait as long. So
 * raising ends in the teardown of the online state. That runs on the CPU itself,
 * well before interrupts are disabled and before the irq_work thread of
 * PREEMPT_RT is parked. Jobs that NMIs queue later are run by the teardown of the
 * prepare state, after the CPU is dead.
 */
#include <linux/cpuhotplug.h>
#include <linux/irq_work.h>
#include <linux/percpu.h>

#include "queue.h"

/*
 * Initialised at run time: these kernels don't relocate pointers in static
 * initialisers of a module's per-CPU data.
 */
DEFINE_PER_CPU(struct kng_queue, kng_queues);

static enum cpuhp_state prepare_state, online_state;

void kng_queue_put_aside(struct kng_queue *q, struct llist_node *node, u64 since)
{
	if (llist_add(node, &q->aside))
		WRITE_ONCE(q->aside_since, since);
}

static int queue_online(unsigned int cpu)
{
	struct kng_queue *q = per_cpu_ptr(&kng_queues, cpu);

	WRITE_ONCE(q->may_raise, true);
	/* From here on NMIs raise the irq_work. For jobs that came before, raise it here. */
	barrier();
	if (!llist_empty(&q->pending))
		irq_work_queue(&q->irq_work);
	return 0;
}

static int queue_offline(unsigned int cpu)
{
	struct kng_queue *q = per_cpu_ptr(&kng_queues, cpu);

	/* This runs on the CPU itself, so no NMI is between its test and its raise. */
	WRITE_ONCE(q->may_raise, false);
	irq_work_sync(&q->irq_work);
	return 0;
}

static int queue_dead(unsigned int cpu)
{
	struct work_struct *work = &per_cpu(kng_queues, cpu).work;

	work->func(work);
	return 0;
}

struct llist_node *kng_queue_detach(struct kng_queue *q, unsigned int *nr, bool *left, u64 *since)
{
	struct llist_node *first, *node;
	unsigned int more = *nr;
	unsigned long flags;

	raw_spin_lock_irqsave(&q->lock, flags);
	if (!q->rest && !llist_empty(&q->pending)) {
		/* In this order: an NMI in between may begin the next list. */
		q->rest_since = READ_ONCE(q->since);
		q->rest = llist_del_all(&q->pending);
	}
	*since = q->rest_since;
	first = q->rest;
	for (node = first; more && node; node = node->next)
		more--;
	q->rest = node;
	*nr -= more;
	*left = q->rest || !llist_empty(&q->pending);
	raw_spin_unlock_irqrestore(&q->lock, flags);
	return first;
}

int kng_queues_init(void (*run_irq_work)(struct irq_work *work),
		    void (*run_work)(struct work_struct *work))
{
	int cpu, ret;

	for_each_possible_cpu(cpu) {
		struct kng_queue *q = per_cpu_ptr(&kng_queues, cpu);

		init_llist_head(&q->pending);
		init_llist_head(&q->aside);
		raw_spin_lock_init(&q->lock);
		init_irq_work(&q->irq_work, run_irq_work);
		INIT_WORK(&q->work, run_work);
		q->cpu = cpu;
	}

	ret = cpuhp_setup_state(CPUHP_BP_PREPARE_DYN, "kptr_nmi_guard:prepare",
				NULL, queue_dead);
	if (ret < 0)
		return ret;
	prepare_state = ret;

	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "kptr_nmi_guard:online",
				queue_online, queue_offline);
	if (ret < 0) {
		cpuhp_remove_state(prepare_state);
		return ret;
	}
	online_state = ret;
	return 0;
}

/*
 * Removing the online state runs queue_offline() on each online CPU, which waits
 * for the irq_work there. CPUs that are offline ran it when they went down.
 */
void kng_queues_stop_raising(void)
{
	cpuhp_remove_state(online_state);
}

/* Removing the prepare state runs queue_dead() for each CPU that is past that state. */
void kng_queues_exit(void)
{
	cpuhp_remove_state(prepare_state);
}
