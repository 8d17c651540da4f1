// SPDX-License-Identifier: GPL-2.0-only
/*
 * One bug of each kind that the debug kernels look for, on request: bug=NAME
 * commits it while the module is loaded. That the kernel then complains shows
 * that its silence about the guard means something. bug=none does nothing.
 *
 * Loading succeeds; what the bug ruins stays ruined, so a boot is good for one.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include "nmi_send.h"

static char *bug = "none";
module_param(bug, charp, 0444);
MODULE_PARM_DESC(bug, "name of the bug to commit (default none)");

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spin);
static DEFINE_RAW_SPINLOCK(raw);
static DEFINE_RAW_SPINLOCK(in_nmi_too);
static int __rcu *protected;
static int sink;

static void lock_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static int lock_in_nmi(unsigned int type, struct pt_regs *regs)
{
	if (nmi_claim(type, regs) != NMI_HANDLED)
		return NMI_DONE;
	raw_spin_lock(&in_nmi_too);
	raw_spin_unlock(&in_nmi_too);
	return NMI_HANDLED;
}

/* The lock is free when the NMI comes: nothing hangs, this time. */
static void nmi_lock(void)
{
	raw_spin_lock(&in_nmi_too);
	raw_spin_unlock(&in_nmi_too);
	if (register_nmi_handler(NMI_LOCAL, lock_in_nmi, 0, "kng_planted"))
		return;
	nmi_send(get_cpu());
	put_cpu();
	nmi_drain();
	unregister_nmi_handler(NMI_LOCAL, "kng_planted");
}

static void raw_nesting(void)
{
	raw_spin_lock(&raw);
	spin_lock(&spin);
	spin_unlock(&spin);
	raw_spin_unlock(&raw);
}

static void sleep_atomic(void)
{
	spin_lock(&spin);
	msleep(20);
	spin_unlock(&spin);
}

static void this_cpu_unpinned(void)
{
	WRITE_ONCE(sink, smp_processor_id());
}

static void rcu_unlocked(void)
{
	WRITE_ONCE(sink, !!rcu_dereference(protected));
}

struct head {
	struct rcu_head rcu;
};

static struct head twice;

static void rcu_done(struct rcu_head *rcu)
{
}

static void rcu_twice(void)
{
	rcu_read_lock();
	call_rcu(&twice.rcu, rcu_done);
	call_rcu(&twice.rcu, rcu_done);
	rcu_read_unlock();
	rcu_barrier();
}

/* The compiler must not see what these do. */
static void out_of_bounds(void)
{
	int *object = kmalloc_array(8, sizeof(*object), GFP_KERNEL);

	if (!object)
		return;
	OPTIMIZER_HIDE_VAR(object);
	WRITE_ONCE(sink, object[8]);
	kfree(object);
}

static void use_after_free(void)
{
	int *object = kmalloc(sizeof(*object), GFP_KERNEL);
	int *stale = object;

	if (!object)
		return;
	OPTIMIZER_HIDE_VAR(stale);
	kfree(object);
	WRITE_ONCE(sink, *stale);
}

static int eight[8];

static void array_bounds(void)
{
	int beyond = 8;

	OPTIMIZER_HIDE_VAR(beyond);
	WRITE_ONCE(sink, eight[beyond]);
}

static void timer_done(struct timer_list *timer)
{
}

static DEFINE_TIMER(active, timer_done);

static void init_active(void)
{
	timer_setup(&active, timer_done, 0);
	mod_timer(&active, jiffies + 60 * HZ);
	timer_setup(&active, timer_done, 0);
}

static void free_active(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, timer_done, 0);
	mod_timer(timer, jiffies + 60 * HZ);
	kfree(timer);
}

/* So many that no forgotten register can hold them all */
static void leak(void)
{
	void *object;
	int i;

	for (i = 0; i < 16; i++) {
		object = kmalloc(64, GFP_KERNEL);
		OPTIMIZER_HIDE_VAR(object);
	}
}

static int counter;

static int count_racing(void *unused)
{
	unsigned long end = jiffies + 5 * HZ;

	while (time_before(jiffies, end)) {
		counter++;
		barrier(); /* In memory, each time. */
		cond_resched();
	}
	return 0;
}

/* Two tasks on two CPUs count with the same plain int. */
static void race(void)
{
	struct task_struct *task = kthread_create_on_cpu(count_racing, NULL, 1, "kng_planted");

	if (IS_ERR(task))
		return;
	get_task_struct(task);
	wake_up_process(task);
	count_racing(NULL);
	kthread_stop(task);
	put_task_struct(task);
	/* What nobody reads the compiler leaves out. */
	pr_info("kng_planted: counted to %d\n", counter);
}

static const struct {
	const char *name;
	void (*commit)(void);
} bugs[] = {
	{ "lock_order", lock_order },
	{ "nmi_lock", nmi_lock },
	{ "raw_nesting", raw_nesting },
	{ "sleep_atomic", sleep_atomic },
	{ "this_cpu", this_cpu_unpinned },
	{ "rcu_unlocked", rcu_unlocked },
	{ "rcu_twice", rcu_twice },
	{ "out_of_bounds", out_of_bounds },
	{ "use_after_free", use_after_free },
	{ "array_bounds", array_bounds },
	{ "init_active", init_active },
	{ "free_active", free_active },
	{ "leak", leak },
	{ "race", race },
};

static int __init planted_init(void)
{
	size_t i;

	if (!strcmp(bug, "none"))
		return 0;
	for (i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (strcmp(bug, bugs[i].name))
			continue;
		pr_info("kng_planted: %s\n", bug);
		bugs[i].commit();
		return 0;
	}
	pr_err("kng_planted: bug=%s is unknown\n", bug);
	return -EINVAL;
}

static void __exit planted_exit(void)
{
	timer_delete_sync(&active);
}

module_init(planted_init);
module_exit(planted_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test only: bugs that debug kernels must find");
