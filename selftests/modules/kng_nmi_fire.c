// SPDX-License-Identifier: GPL-2.0-only
/*
 * NMIs on request, in /sys/kernel/debug/kng_nmi_fire/:
 *
 *   fire     write "N": N NMIs to the writer's CPU, from task context with
 *            interrupts on, each one taken before the next is sent
 *   hold     write "MS": one NMI to the writer's CPU with interrupts off, and
 *            off they stay for MS milliseconds (up to 15000), or until...
 *   let_go   ... anything is written here
 *   storm    write "N PERIOD_US": a timer on every online CPU sends N NMIs
 *            to the next CPU, so that they land anywhere, irqs-off regions
 *            included. "0 0" ends a storm. Reading: NMIs still to be sent.
 *   hotplug  write "1": a CPU that goes down or comes up gets an NMI on the way,
 *            where what modules loaded later did for it is undone already, or
 *            not done yet; "0" ends that
 *   sent, handled   counts
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>

#include "compat.h"
#include "files.h"
#include "nmi_send.h"

struct storm {
	struct hrtimer timer;
	atomic_t left;
};

static DEFINE_PER_CPU(struct storm, storms);
static DEFINE_MUTEX(storm_lock);	/* starting and stopping */
static ktime_t storm_period;		/* written under storm_lock, timers idle */
static bool let_go;
static bool on_hotplug;
static enum cpuhp_state hotplug_state;
static struct dentry *dir;

static int fire_one(void)
{
	bool taken;
	int cpu;

	cpu = get_cpu();
	taken = nmi_wait(cpu, 10000000) && nmi_send(cpu) &&
		nmi_wait(cpu, 10000000);
	put_cpu();
	return taken ? 0 : -ETIMEDOUT;
}

static ssize_t fire_write(struct file *file, const char __user *ubuf,
			  size_t len, loff_t *pos)
{
	unsigned int n, unused;
	int err;

	err = read_numbers(ubuf, len, &n, &unused);
	if (err < 0)
		return err;
	while (n--) {
		err = fire_one();
		if (err)
			return err;
		if (signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return len;
}
DEFINE_WRITE_ATTRIBUTE(fire);

static ssize_t hold_write(struct file *file, const char __user *ubuf,
			  size_t len, loff_t *pos)
{
	unsigned int ms, unused;
	unsigned long flags;
	int err;

	err = read_numbers(ubuf, len, &ms, &unused);
	if (err < 0)
		return err;
	if (ms > 15000)
		return -EINVAL;
	WRITE_ONCE(let_go, false);
	local_irq_save(flags);
	err = fire_one();
	while (ms-- && !READ_ONCE(let_go))
		mdelay(1);
	local_irq_restore(flags);
	return err ? err : len;
}
DEFINE_WRITE_ATTRIBUTE(hold);

static ssize_t let_go_write(struct file *file, const char __user *ubuf,
			    size_t len, loff_t *pos)
{
	WRITE_ONCE(let_go, true);
	return len;
}
DEFINE_WRITE_ATTRIBUTE(let_go);

static ssize_t hotplug_write(struct file *file, const char __user *ubuf,
			     size_t len, loff_t *pos)
{
	unsigned int on, unused;
	int err;

	err = read_numbers(ubuf, len, &on, &unused);
	if (err < 0)
		return err;
	WRITE_ONCE(on_hotplug, on);
	return len;
}
DEFINE_WRITE_ATTRIBUTE(hotplug);

static enum hrtimer_restart storm_tick(struct hrtimer *timer)
{
	struct storm *storm = container_of(timer, struct storm, timer);
	int next;

	if (atomic_read(&storm->left) <= 0)
		return HRTIMER_NORESTART;
	next = cpumask_next(smp_processor_id(), cpu_online_mask);
	if (next >= nr_cpu_ids)
		next = cpumask_first(cpu_online_mask);
	if (nmi_send(next))
		atomic_dec(&storm->left);
	hrtimer_forward_now(timer, storm_period);
	return HRTIMER_RESTART;
}

static void storm_start_here(void *unused)
{
	hrtimer_start(this_cpu_ptr(&storms.timer), storm_period,
		      HRTIMER_MODE_REL_PINNED_HARD);
}

/* What was sent to a CPU that was gone is lost: nobody will ever claim it. */
static int cpu_came(unsigned int cpu)
{
	if (!nmi_wait(cpu, 10000000))
		nmi_forget(cpu);
	if (READ_ONCE(on_hotplug))
		fire_one();
	if (atomic_read(&per_cpu(storms.left, cpu)) > 0)
		storm_start_here(NULL);
	return 0;
}

static int cpu_goes(unsigned int cpu)
{
	if (READ_ONCE(on_hotplug))
		fire_one();
	hrtimer_cancel(&per_cpu(storms.timer, cpu));
	return 0;
}

static void storm_stop(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		atomic_set(&per_cpu(storms.left, cpu), 0);
		hrtimer_cancel(&per_cpu(storms.timer, cpu));
	}
}

static ssize_t storm_write(struct file *file, const char __user *ubuf,
			   size_t len, loff_t *pos)
{
	unsigned int n, period_us = 0;
	int found, cpu;

	found = read_numbers(ubuf, len, &n, &period_us);
	if (found < 0)
		return found;
	if (n > INT_MAX || (n && (found < 2 || !period_us)))
		return -EINVAL;

	mutex_lock(&storm_lock);
	cpus_read_lock();
	storm_stop();
	storm_period = ns_to_ktime((u64)period_us * NSEC_PER_USEC);
	for_each_online_cpu(cpu)
		atomic_set(&per_cpu(storms.left, cpu), n);
	if (n)
		on_each_cpu(storm_start_here, NULL, 1);
	cpus_read_unlock();
	mutex_unlock(&storm_lock);
	return len;
}

static int storm_show(struct seq_file *m, void *unused)
{
	u64 left = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		left += atomic_read(&per_cpu(storms.left, cpu));
	seq_printf(m, "%llu\n", left);
	return 0;
}

static int storm_open(struct inode *inode, struct file *file)
{
	return single_open(file, storm_show, NULL);
}

static const struct file_operations storm_fops = {
	.owner = THIS_MODULE,
	.open = storm_open,
	.read = seq_read,
	.write = storm_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static int __init nmi_fire_init(void)
{
	int err, cpu, state;

	for_each_possible_cpu(cpu)
		hrtimer_setup(&per_cpu(storms.timer, cpu), storm_tick,
			      CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	err = nmi_begin();
	if (err)
		return err;
	/* Dynamic states are left in the reverse order of their making. */
	state = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "kng_nmi_fire",
					  cpu_came, cpu_goes);
	if (state < 0) {
		nmi_end();
		return state;
	}
	hotplug_state = state;
	dir = debugfs_create_dir("kng_nmi_fire", NULL);
	debugfs_create_file("fire", 0200, dir, NULL, &fire_fops);
	debugfs_create_file("hold", 0200, dir, NULL, &hold_fops);
	debugfs_create_file("let_go", 0200, dir, NULL, &let_go_fops);
	debugfs_create_file("hotplug", 0200, dir, NULL, &hotplug_fops);
	debugfs_create_file("storm", 0600, dir, NULL, &storm_fops);
	debugfs_create_file("sent", 0400, dir, &nmi_sent, &count_fops);
	debugfs_create_file("handled", 0400, dir, &nmi_handled, &count_fops);
	return 0;
}

static void __exit nmi_fire_exit(void)
{
	debugfs_remove_recursive(dir);
	cpuhp_remove_state_nocalls(hotplug_state);
	storm_stop();
	nmi_end();
}

module_init(nmi_fire_init);
module_exit(nmi_fire_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test only: NMIs on request and NMI storms");
