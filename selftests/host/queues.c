// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queues of pending jobs: module/queue.c, drain.c and offload.c themselves, in all
 * orders of NMIs, the irq_work, the worker, CPU hotplug and unload, up to a number of
 * switches. (Memory is sequentially consistent here.)
 *
 * All that is here concerns the queue of CPU 0:
 *
 *	task	on CPU 0: takes it down, or brings it up
 *	irq	on CPU 0, with interrupts on: the irq_work, when it was raised
 *	NMIs	on CPU 0, each at some access of these, or between them
 *	worker	the work, when it was queued; elsewhere, or preempted: beside all others
 *	other	on another CPU: runs the teardown of a dead CPU, or unloads the guard
 *
 * In the end each job ran, once, where its destructor may run, and what was counted is so.
 */
#include <stdbool.h>

static void queue_access(void);
#define kernel_access() queue_access()
#include "linux.h"

static const char *broken;

static void fail(const char *why)
{
	if (!broken)
		broken = why;
}

#include "fibers.h"

enum { TASK, IRQ, NMI, WORKER, OTHER, NR_FIBERS };

/* CPU 0 */
static bool interrupts_off, in_cpu, may_nmi;	/* @in_cpu: interrupts reach it */

static inline bool in_nmi(void)
{
	return fiber_now == NMI;
}

static void queue_access(void)
{
	if (fiber_now != NO_FIBER)
		fiber_switch();
}

/* What a fiber waits for */
static bool (*waits_for[NR_FIBERS])(void);

static void wait_for(bool (*cond)(void))
{
	if (cond())
		return;
	waits_for[fiber_now] = cond;
	fiber_wait();
}

/* @cond looks at nothing that is local. */
#define wait_until(cond) \
	do { bool cond_(void) { return cond; } wait_for(cond_); } while (0)

/* The lock of the queue. Its holder is not interrupted, but by NMIs. */
#undef raw_spin_lock_irqsave
#undef raw_spin_unlock_irqrestore
#define raw_spin_lock_init(l)	((void)(l))
static int holder;

static void queue_lock(void)
{
	if (in_nmi())
		fail("an NMI wants the lock");
	queue_access();
	wait_until(holder == NO_FIBER);
	holder = fiber_now;
	interrupts_off |= fiber_now == TASK;
}

static void queue_unlock(void)
{
	holder = NO_FIBER;
	interrupts_off &= fiber_now != TASK;
	queue_access();
}

#define raw_spin_lock_irqsave(l, f)		((void)(l), (f) = 0, queue_lock())
#define raw_spin_unlock_irqrestore(l, f)	((void)(l), (void)(f), queue_unlock())

/* What runs without the shared lists is one step; the lists are not. */
#define try_cmpxchg(p, old, new) \
	(kernel_access(), __atomic_compare_exchange_n(p, old, new, false, __ATOMIC_SEQ_CST, \
						      __ATOMIC_SEQ_CST))
#define llist_del_all(head)	(kernel_access(), llist_del_all(head))
#define init_llist_head(head)	((head)->first = NULL)
#define llist_empty(head)	(!READ_ONCE((head)->first))
#define llist_entry(p, type, member)	container_of(p, type, member)

static int atomic_cmpxchg(atomic_t *v, int old, int new)
{
	int was = v->counter;

	if (was == old)
		v->counter = new;
	return was;
}

/* The irq_work. What raises it while it runs has it run again. */
struct irq_work {
	void (*func)(struct irq_work *work);
};

static struct irq_work *raised;
static bool irq_runs;

#define init_irq_work(w, fn)	((w)->func = (fn))

static void irq_work_queue(struct irq_work *work)
{
	kernel_access();
	if (fiber_now != TASK && fiber_now != IRQ && fiber_now != NMI)
		fail("the irq_work is raised on another CPU");
	raised = work;
}

static void irq_work_sync(struct irq_work *work)
{
	if (fiber_now == TASK && interrupts_off)
		fail("waits for its own CPU");
	wait_until(!raised && !irq_runs);
}

/* The work, and CPU hotplug */
struct workqueue_struct {
	int unused;
};

struct work_struct {
	void (*func)(struct work_struct *work);
};

static struct work_struct *work_queued;
static bool work_runs;
static struct workqueue_struct the_workqueue;
static bool workqueue_is_there;

#define INIT_WORK(w, fn)	((w)->func = (fn))
#define WQ_HIGHPRI		1
#define KNG_WQ_PERCPU		2

static struct workqueue_struct *alloc_workqueue(const char *name, int flags, int max)
{
	(void)name;
	(void)flags;
	(void)max;
	workqueue_is_there = true;
	return &the_workqueue;
}

static void queue_work_on(int cpu, struct workqueue_struct *wq, struct work_struct *work)
{
	kernel_access();
	if (!workqueue_is_there || wq != &the_workqueue || cpu)
		fail("work for a queue that is not there");
	work_queued = work;
}

static void destroy_workqueue(struct workqueue_struct *wq)
{
	(void)wq;
	wait_until(!work_queued && !work_runs);
	workqueue_is_there = false;
}

enum cpuhp_state { CPUHP_BP_PREPARE_DYN, CPUHP_AP_ONLINE_DYN };

static struct {
	int (*up)(unsigned int cpu);
	int (*down)(unsigned int cpu);
} states[2];

/* How far up CPU 0 is */
static bool prepared = true, online = true;

static int cpuhp_setup_state(enum cpuhp_state state, const char *name,
			     int (*up)(unsigned int cpu), int (*down)(unsigned int cpu))
{
	(void)name;
	states[state].up = up;
	states[state].down = down;
	if (up && (state == CPUHP_AP_ONLINE_DYN ? online : prepared))
		up(0);
	return state;
}

static void (*on_cpu0)(void);

static void go_offline(void)
{
	if (states[CPUHP_AP_ONLINE_DYN].down)
		states[CPUHP_AP_ONLINE_DYN].down(0);
	states[CPUHP_AP_ONLINE_DYN].down = NULL;
}

/* The online state ends on the CPU itself. */
static void cpuhp_remove_state(enum cpuhp_state state)
{
	if (state == CPUHP_AP_ONLINE_DYN && online) {
		on_cpu0 = go_offline;
		wait_until(!on_cpu0);
	} else if (state == CPUHP_BP_PREPARE_DYN && prepared && states[state].down) {
		states[state].down(0);
	}
	states[state].down = NULL;
}

/* Tasks */
static int pinned;

#define migrate_disable()	(pinned++)
#define migrate_enable()	(pinned--)
#define IS_ENABLED(config)	0
#define WARN_ON_ONCE(cond)	({ bool c_ = (cond); if (c_) fail("a warning: " #cond); c_; })
#define WARN_ON(cond)		WARN_ON_ONCE(cond)
#define preempt_disable_notrace()	((void)0)
#define preempt_enable_notrace()	((void)0)

struct module {
	int refs;
	bool live;
};

static struct module module;

/* A pool: a job is taken, and comes back. */
#define KNG_MODULE_POOL_H
#define KNG_POOL_H
#define MAX_JOBS	40

struct kng_job {
	struct llist_node node;
	void *obj;
	u32 dtor;
	bool used;
	u32 next;
};

/* Jobs that go back together, linked by their numbers */
struct kng_chain {
	u32 *end;
	u32 first;
	u32 nr;
};

#define KNG_EMPTY_CHAIN(chain)	{ .end = &(chain).first }

static struct kng_job jobs[MAX_JOBS];
static u32 nr_jobs, used;
static struct kng_pool {
	u32 low;
} kng_pool;

static struct kng_job *kng_pool_pop(struct kng_pool *pool)
{
	u32 i;

	(void)pool;
	for (i = 0; i < nr_jobs; i++) {
		if (jobs[i].used)
			continue;
		jobs[i].used = true;
		used++;
		return &jobs[i];
	}
	return NULL;
}

static void kng_pool_push(struct kng_pool *pool, struct kng_job *job)
{
	(void)pool;
	if (!job->used)
		fail("a job comes back twice");
	job->used = false;
	used--;
	if (!used && module.refs)
		fail("all jobs are back, and a module is still held");
}

static u32 *kng_pool_chain(u32 *end, struct kng_job *job)
{
	*end = job - jobs;
	return &job->next;
}

static u32 longest_chain;

static void kng_pool_push_chain(struct kng_pool *pool, struct kng_chain *chain)
{
	u32 i = chain->first;

	if (chain->nr > longest_chain)
		longest_chain = chain->nr;
	*chain->end = MAX_JOBS;
	for (; i < MAX_JOBS; i = jobs[i].next) {
		chain->nr--;
		kng_pool_push(pool, &jobs[i]);
	}
	if (chain->nr)
		fail("a chain is longer than it says, or shorter");
	chain->end = &chain->first;
	chain->nr = 0;
}

#define kng_pool_pop_own(pool)	kng_pool_pop(pool)
#define kng_pool_total()	nr_jobs
#define kng_pool_in_use()	used
#define kng_pool_idle(pool)	((int)(nr_jobs - used))
#define kng_pool_low(pool)	(nr_jobs - used < (pool)->low)

/* Time: an NMI each tick */
#define KNG_DELAY_H
static unsigned int delays;
static u64 now, added_at[MAX_JOBS], begun_at[NR_FIBERS];
#define kng_delay_now()		now
#define kng_delay_init()	((void)0)
#define kng_delay_ns(since)	(begun_at[fiber_now] = (since), now - (since))
#define kng_delay_note(ns, nr)	((void)(ns), delays += (nr))

/* What goes on */
static struct scenario {
	const char *name;
	/*
	 * Each a job: k of the kernel, m of the module, g of a module that is going; x: one that
	 * is given up; s: none; w: the worker, where it may not run
	 */
	const char *nmis;
	unsigned int budget;
	u32 jobs;
	enum { STAYS, DOWN, UP, DOWN_UP, UNLOAD } what;
	int switches;
} s;

/* Destructors: of the kernel, and of a module, which nobody has read */
#define KNG_ENTRY_H
#define KNG_TRACE_H
#define KNG_COMPAT_H
#define KNG_DTOR_H
enum { OF_KERNEL, OF_MODULE, NR_DTORS };

typedef void (*btf_dtor_kfunc_t)(void *obj);
static void of_kernel(void *obj);
static void of_module(void *obj);

static struct {
	btf_dtor_kfunc_t fn;
	bool hardirq;
	struct module *owner;
	unsigned int noted;
} kng_dtors[NR_DTORS] = {
	{ .fn = of_kernel, .hardirq = true },
	{ .fn = of_module, .owner = &module },
};

static inline bool module_is_live(struct module *m)
{
	return m->live;
}

#define kng_dtor_may_run_in_hardirq(dtor)	kng_dtors[dtor].hardirq

static bool try_module_get(struct module *m)
{
	m->refs += m->live;
	return m->live;
}

static void kng_dtor_put(unsigned int dtor, unsigned int nr)
{
	if (kng_dtors[dtor].owner)
		kng_dtors[dtor].owner->refs -= nr;
}

static unsigned int ran[MAX_JOBS], runs_now, most_runs;

static void of_kernel(void *obj)
{
	if (s.nmis[(long)obj] != 'k')
		fail("a job is run by the wrong destructor");
}

static void of_module(void *obj)
{
	if (s.nmis[(long)obj] != 'm')
		fail("a job is run by the wrong destructor");
	if (fiber_now == IRQ)
		fail("a destructor that nobody has read runs in hardirq");
	if (module.refs <= 0)
		fail("a destructor runs in a module that nobody holds");
}

static void kng_dtor_call(btf_dtor_kfunc_t fn, void *obj)
{
	if (in_nmi())
		fail("a destructor runs in NMI");
	fn(obj);
	if (fiber_now != IRQ && !pinned)
		fail("a destructor may migrate");
	if (holder == fiber_now)
		fail("a destructor runs under the lock");
	if (begun_at[fiber_now] > added_at[(long)obj])
		fail("a job has waited for longer than is said");
	ran[(long)obj]++;
	runs_now += fiber_now == IRQ;
	kernel_access();
}

static unsigned int kng_dtor_note_run(unsigned int dtor, unsigned int nr)
{
	kng_dtors[dtor].noted += nr;
	return dtor;
}

static unsigned int traced_irq, traced_worker, traced_empty;
#define trace_run(dtor, hardirq, queue, nr, delay) \
	((void)(dtor), (void)(queue), *((hardirq) ? &traced_irq : &traced_worker) += (nr))
#define trace_no_job(total)	((void)(total), traced_empty++)

#include "../../module/params.h"
struct kng_params kng_params;
#include "../../module/count.h"
struct kng_counts kng_counts;

/* The only one there: kng_queue_put_aside(). What is left to the worker is work, too. */
static bool aside_add(struct llist_node *node, struct llist_head *aside)
{
	runs_now++;
	return llist_add(node, aside);
}

#define llist_add	aside_add
#include "../../module/queue.c"
#undef llist_add
#include "../../module/offload.c"
#include "../../module/drain.c"

static unsigned int nr_nmis, usage_notes;
static bool dead, guard_gone, all_over, unloading, moved;

static void note_usage(void)
{
	usage_notes++;
}

static bool nmi_at_work, irq_at_work;

static bool irq_comes(void)
{
	return (raised && in_cpu && !interrupts_off) || all_over;
}

static bool work_comes(void)
{
	return work_queued || all_over;
}

static bool task_wanted(void)
{
	return on_cpu0 || all_over;
}

static bool nmi_comes(void)
{
	return may_nmi || all_over;
}

static bool cpu_is_dead(void)
{
	return dead;
}

static bool nmis_are_over(void)
{
	return fibers[NMI].done;
}

static bool unload_begins(void)
{
	return unloading;
}

/* Nobody has anything to do. */
static bool all_quiet(void)
{
	return moved && (fibers[NMI].done || !may_nmi) && !irq_runs && !(raised && in_cpu) &&
	       !work_runs && !work_queued && !on_cpu0;
}

static bool fiber_may_run(int i)
{
	if (waits_for[i] && !waits_for[i]())
		return false;
	/* A CPU goes on where it was interrupted last. */
	if (nmi_at_work && (i == TASK || i == IRQ))
		return false;
	return !(irq_at_work && i == TASK);
}

static void fiber_goes_on(int i)
{
	waits_for[i] = NULL;
}

static bool defer(int dtor, struct module *owner, void *obj)
{
	struct kng_job *job = kng_offload_prepare(dtor, owner);

	if (job)
		kng_offload_queue(job, obj);
	return job;
}

static void nmi(char what, long i)
{
	int dtor = what == 'k' ? OF_KERNEL : OF_MODULE;
	struct kng_job *job;

	switch (what) {
	case 's':
		kng_offload_schedule();
		break;
	case 'w':
		run_work(&kng_queues.work);
		break;
	case 'g':
		module.live = false;
		if (defer(OF_MODULE, &module, NULL))
			fail("a module that is going is held");
		module.live = true;
		break;
	case 'x':
		job = kng_offload_prepare(dtor, kng_dtors[dtor].owner);
		if (job)
			kng_offload_cancel(job);
		break;
	default:
		nr_nmis += defer(dtor, kng_dtors[dtor].owner, (void *)i);
	}
}

static void nmis(void)
{
	long i;

	for (i = 0; s.nmis[i] && may_nmi; i++) {
		nmi_at_work = true;
		now++;
		added_at[i] = now;
		nmi(s.nmis[i], i);
		nmi_at_work = false;
		fiber_switch();
		wait_for(nmi_comes);
	}
}

static void irqs(void)
{
	for (;;) {
		struct irq_work *work;

		wait_for(irq_comes);
		if (!raised || broken)
			return;
		work = raised;
		raised = NULL;
		if (guard_gone)
			fail("the irq_work runs after unload");
		irq_at_work = irq_runs = true;
		runs_now = 0;
		work->func(work);
		if (runs_now > most_runs)
			most_runs = runs_now;
		irq_at_work = irq_runs = false;
	}
}

static void works(void)
{
	for (;;) {
		struct work_struct *work;

		wait_for(work_comes);
		if (!work_queued || broken)
			return;
		work = work_queued;
		work_queued = NULL;
		work_runs = true;
		work->func(work);
		work_runs = false;
	}
}

/* CPU 0 on its way: the states that end on it, then without interrupts, then it is dead. */
static void down(void)
{
	states[CPUHP_AP_ONLINE_DYN].down(0);
	online = false;
	kernel_access();
	in_cpu = false;
	kernel_access();
	may_nmi = false;
	if (raised)
		fail("the irq_work of a dead CPU is raised");
	dead = true;
}

static void up(void)
{
	may_nmi = true;
	prepared = true;
	kernel_access();
	in_cpu = true;
	kernel_access();
	online = true;
	states[CPUHP_AP_ONLINE_DYN].up(0);
}

static void task(void)
{
	switch (s.what) {
	case STAYS:
		break;
	case DOWN:
		down();
		break;
	case UP:
		up();
		break;
	case DOWN_UP:
		down();
		wait_until(!dead);
		up();
		break;
	case UNLOAD:
		/* The NMIs are over: nothing is hooked any more. */
		wait_for(nmis_are_over);
		unloading = true;
		break;
	}
	moved = true;
	for (;;) {
		wait_for(task_wanted);
		if (!on_cpu0 || broken)
			return;
		on_cpu0();
		on_cpu0 = NULL;
	}
}

static void other(void)
{
	if (s.what == DOWN || s.what == DOWN_UP) {
		wait_for(cpu_is_dead);
		prepared = false;
		states[CPUHP_BP_PREPARE_DYN].down(0);
		dead = false;
	}
	if (s.what == UNLOAD) {
		wait_for(unload_begins);
		kng_drain_exit();
		guard_gone = true;
	}
	wait_for(all_quiet);
	all_over = true;
}

static void fiber_runs(int i)
{
	switch (i) {
	case TASK:
		task();
		break;
	case IRQ:
		irqs();
		break;
	case NMI:
		nmis();
		break;
	case WORKER:
		works();
		break;
	case OTHER:
		other();
		break;
	}
}

static unsigned int references(void)
{
	unsigned int nr = 0;
	const char *c;

	for (c = s.nmis; *c; c++)
		nr += *c == 'k' || *c == 'm';
	return nr;
}

static void run(void)
{
	bool is_up = s.what != UP;
	unsigned int i, nr = 0;

	fiber_now = NO_FIBER;
	memset(jobs, 0, sizeof(jobs));
	memset(ran, 0, sizeof(ran));
	memset(&kng_counts, 0, sizeof(kng_counts));
	memset(&kng_queues, 0, sizeof(kng_queues));
	kng_dtors[OF_KERNEL].noted = kng_dtors[OF_MODULE].noted = 0;
	atomic_set(&exhausted, EXHAUSTED_NO);
	module = (struct module) { .live = true };
	holder = NO_FIBER;
	raised = NULL;
	work_queued = NULL;
	on_cpu0 = NULL;
	irq_runs = work_runs = nmi_at_work = irq_at_work = interrupts_off = false;
	dead = guard_gone = all_over = unloading = false;
	moved = s.what == STAYS;
	memset(waits_for, 0, sizeof(waits_for));
	/* Who has nothing to do does not begin. */
	waits_for[TASK] = s.what == STAYS ? task_wanted : s.what == UNLOAD ? nmis_are_over : NULL;
	waits_for[IRQ] = irq_comes;
	waits_for[NMI] = nmi_comes;
	waits_for[WORKER] = work_comes;
	waits_for[OTHER] = s.what == UNLOAD ? unload_begins : s.what == DOWN || s.what == DOWN_UP ?
			   cpu_is_dead : all_quiet;
	prepared = online = in_cpu = may_nmi = is_up;
	used = nr_nmis = most_runs = pinned = usage_notes = nr_said = 0;
	traced_irq = traced_worker = traced_empty = delays = 0;
	now = 0;
	nr_jobs = s.jobs;
	kng_pool.low = clamp(nr_jobs / 8, 1U, 512U);
	kng_params.budget = s.budget;
	if (kng_drain_init(note_usage))
		fail("it does not begin");
	fibers_run(NR_FIBERS, s.switches);
	if (broken)
		return;

	for (i = 0; i < MAX_JOBS; i++) {
		nr += ran[i];
		if (ran[i] > 1)
			fail("a destructor ran twice");
	}
	/* A CPU that is not there has what came last, until it is. */
	if (nr != nr_nmis)
		fail("a job did not run");
	if (guard_gone && (states[0].down || states[1].down || workqueue_is_there))
		fail("something stays after unload");
	if (!usage_notes && s.what == STAYS)
		fail("who wants to know of each run was not told");
	if (used || module.refs || pinned)
		fail("a job, or its module, is still held");
	if (kng_counts.nr[KNG_TAKEN] != nr || kng_counts.nr[KNG_RUN] != nr ||
	    kng_counts.nr[KNG_RUN_HARDIRQ] + kng_counts.nr[KNG_RUN_WORKER] != nr ||
	    kng_counts.nr[KNG_RUN_HARDIRQ] != traced_irq || traced_worker + traced_irq != nr ||
	    kng_dtors[OF_KERNEL].noted + kng_dtors[OF_MODULE].noted != nr || delays != nr)
		fail("the counts are not right");
	if (kng_counts.nr[KNG_EMPTY] + nr != references() && s.what != DOWN)
		fail("a reference is not accounted for");
	if (kng_counts.nr[KNG_BAD_CONTEXT] ||
	    kng_counts.nr[KNG_TABLE_FULL] != !!strchr(s.nmis, 'g'))
		fail("what does not happen is counted, or what does is not");
	if (most_runs > s.budget && s.jobs >= 8 * strlen(s.nmis))
		fail("a run of the irq_work was longer than its budget");
	if (longest_chain > CHAIN_JOBS)
		fail("a run keeps more jobs to itself than it says");
	if (most_runs > kng_drain_longest())
		fail("the longest run is not known");
	if (!!kng_counts.nr[KNG_EMPTY] != traced_empty || nr_said != traced_empty)
		fail("that no job was left is not told, or not once");
}

static unsigned long orders, by_irq, by_worker, handoffs, empty, longer;

static void explore(struct scenario scenario)
{
	unsigned long n = 0;

	s = scenario;
	broken = NULL;
	fibers_begin();
	do {
		run();
		n++;
		by_irq += kng_counts.nr[KNG_RUN_HARDIRQ];
		by_worker += kng_counts.nr[KNG_RUN_WORKER];
		handoffs += kng_counts.nr[KNG_HANDOFFS];
		empty += kng_counts.nr[KNG_EMPTY];
		longer += most_runs > s.budget;
	} while (!broken && fibers_next());
	orders += n;
	if (broken)
		tap_diag("%s", broken);
	tap_ok(!broken && n > 1, "%s: all %lu orders with up to %d switches", s.name, n,
	       s.switches);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv);
	explore((struct scenario) { "three NMIs", "kkk", 8, 24, STAYS, 6 });
	explore((struct scenario) { "budget 1", "kkk", 1, 24, STAYS, 4 });
	explore((struct scenario) { "budget 2", "kkkk", 2, 32, STAYS, 4 });
	explore((struct scenario) { "destructors of a module", "mkm", 8, 24, STAYS, 4 });
	explore((struct scenario) { "the same, budget 1", "mkm", 1, 24, STAYS, 3 });
	explore((struct scenario) { "jobs that are given up", "xkxgs", 8, 24, STAYS, 3 });
	explore((struct scenario) { "no job left", "kkkk", 1, 2, STAYS, 3 });
	explore((struct scenario) { "more NMIs than jobs", "kkkkkkkkkkkkkkkkk", 1, 16, STAYS, 1 });
	explore((struct scenario) { "more than a chain", "kkkkkkkkkkkkkkkkkkk", 24, 32, STAYS, 1 });
	explore((struct scenario) { "a CPU goes down", "kk", 8, 16, DOWN, 4 });
	explore((struct scenario) { "and leaves work", "kkm", 1, 24, DOWN, 2 });
	explore((struct scenario) { "of both kinds", "kmkkm", 8, 40, DOWN, 2 });
	explore((struct scenario) { "many of both", "kkkkkkkkkkkmkkkkkkkk", 24, 32, DOWN, 1 });
	explore((struct scenario) { "a CPU comes up", "kk", 8, 16, UP, 4 });
	explore((struct scenario) { "and has too much", "kkm", 1, 24, UP, 3 });
	explore((struct scenario) { "down and up", "kk", 8, 16, DOWN_UP, 3 });
	explore((struct scenario) { "unload", "kk", 8, 16, UNLOAD, 4 });
	explore((struct scenario) { "unload with work", "kkm", 1, 24, UNLOAD, 2 });
	s = (struct scenario) { "", "w", 8, 16, STAYS, 0 };
	broken = NULL;
	fibers_begin();
	run();
	tap_ok(broken && !strcmp(broken, "a warning: in_nmi()") &&
	       kng_counts.nr[KNG_BAD_CONTEXT] == 1,
	       "a worker in NMI is noticed, and counted: %s", broken ?: "not");
	tap_ok(by_irq && by_worker && handoffs,
	       "the irq_work ran jobs (%lu), and the worker (%lu), after %lu runs that ended early",
	       by_irq, by_worker, handoffs);
	tap_ok(longest_chain == CHAIN_JOBS, "up to %u jobs went back together", longest_chain);
	tap_ok(empty && longer,
	       "no job was left %lu times; %lu runs went beyond their budget for that", empty,
	       longer);
	tap_diag("%lu orders", orders);
	return tap_done();
}
