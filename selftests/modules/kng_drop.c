// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes ftrace drop calls.
 *
 * Where one function has several ftrace users, ftrace enters them through
 * arch_ftrace_ops_list_func(), and where a user asks for ftrace's protection
 * (FTRACE_OPS_FL_RECURSION, _RCU) through ftrace_ops_assist_func(). Both begin
 * with trace_test_and_set_recursion(.., TRACE_LIST_START), which takes one of
 * five bits of *current*: one for each of task, softirq, irq and NMI, and if
 * that is taken, TRANSITION, of which there is one for all contexts together.
 * With both taken, no user of the function is called (kernel/trace/ftrace.c,
 * include/linux/trace_recursion.h; the same in 6.12 and 7.3).
 *
 * So a call in NMI of a function with several users is lost to them all if, and
 * only if, when it is made,
 *
 *   - this task is inside another user's handler that was entered in NMI (an
 *     int3's or #DB's counts) by one of the two functions: the NMI bit; and
 *   - it is inside a second such handler, that was entered from within another
 *     of the same context: the TRANSITION bit. Which context does not matter: it
 *     may be the one that the NMI interrupted.
 *
 *	 task				NMI
 *	 handler: NORMAL
 *	   handler: TRANSITION
 *	   --------------------------->
 *					handler: NMI
 *					  call of a shared function: dropped
 *
 * A function with one user, which wants no protection, is entered directly and
 * tests no bit. Programs of type tp_btf, tp, perf_event, fentry and fexit run
 * outside of these handlers; kprobe.multi runs inside.
 *
 *   echo BELOW INSIDE > /sys/kernel/debug/kng_drop/go
 *	nests BELOW handlers in task context, sends this CPU an NMI there, nests
 *	INSIDE handlers in that, and calls kng_drop_bottom(), for a fentry
 *	program
 *   cat /sys/kernel/debug/kng_drop/{bottoms,lost}
 *	how often that was reached, and how often a nested handler was dropped
 */
#include <linux/ftrace.h>
#include <linux/module.h>

#include "files.h"
#include "nmi_send.h"

#define MAX_LEVELS 4
#define DELIVERY_SPINS 10000000

typedef void (*bottom_t)(void);

static atomic64_t bottoms = ATOMIC64_INIT(0);
static atomic64_t lost = ATOMIC64_INIT(0);
static unsigned int inside;	/* written under go_lock, no NMI on its way */
static DEFINE_MUTEX(go_lock);
static struct dentry *dir;

/* Both are here to be traced. */
noinline __noclone void kng_drop_level(unsigned long levels, bottom_t bottom, bool *entered);
noinline __noclone void kng_drop_bottom(void);

void kng_drop_level(unsigned long levels, bottom_t bottom, bool *entered)
{
	barrier(); /* an empty function would be optimised away */
}

void kng_drop_bottom(void)
{
	atomic64_inc(&bottoms);
}

static notrace void descend(unsigned long levels, bottom_t bottom)
{
	bool entered = false;

	if (!levels) {
		bottom();
		return;
	}
	kng_drop_level(levels, bottom, &entered);
	barrier(); /* the handler writes it behind the compiler's back */
	if (!READ_ONCE(entered))
		atomic64_inc(&lost);
}

static notrace void level_entry(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *op, struct ftrace_regs *fregs)
{
	unsigned long levels = ftrace_regs_get_argument(fregs, 0);
	bottom_t bottom = (bottom_t)ftrace_regs_get_argument(fregs, 1);

	WRITE_ONCE(*(bool *)ftrace_regs_get_argument(fregs, 2), true);
	descend(levels - 1, bottom);
}

static struct ftrace_ops level_ops = {
	.func = level_entry,
	.flags = FTRACE_OPS_FL_RECURSION,
};

static notrace void send_nmi(void)
{
	int cpu = smp_processor_id();

	if (nmi_send(cpu))
		nmi_wait(cpu, DELIVERY_SPINS);
}

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	if (nmi_claim(type, regs) != NMI_HANDLED)
		return NMI_DONE;
	descend(inside, kng_drop_bottom);
	return NMI_HANDLED;
}

static ssize_t go_write(struct file *file, const char __user *ubuf, size_t len,
			loff_t *pos)
{
	unsigned int below, in;
	int found;

	found = read_numbers(ubuf, len, &below, &in);
	if (found < 0)
		return found;
	if (found < 2 || below > MAX_LEVELS || in > MAX_LEVELS)
		return -EINVAL;

	mutex_lock(&go_lock);
	inside = in;
	preempt_disable();
	descend(below, send_nmi);
	preempt_enable();
	mutex_unlock(&go_lock);
	return len;
}
DEFINE_WRITE_ATTRIBUTE(go);

static int hook_levels(void)
{
	int err = ftrace_set_filter_ip(&level_ops, (unsigned long)kng_drop_level, 0, 1);

	if (!err)
		err = register_ftrace_function(&level_ops);
	if (err)
		ftrace_free_filter(&level_ops);
	return err;
}

static int __init drop_init(void)
{
	int err = hook_levels();

	if (err) {
		pr_err("kng_drop: no hook: %d\n", err);
		return err;
	}
	err = register_nmi_handler(NMI_LOCAL, on_nmi, 0, "kng_drop");
	if (err) {
		unregister_ftrace_function(&level_ops);
		ftrace_free_filter(&level_ops);
		return err;
	}
	dir = debugfs_create_dir("kng_drop", NULL);
	debugfs_create_file("go", 0200, dir, NULL, &go_fops);
	debugfs_create_file("bottoms", 0400, dir, &bottoms, &count_fops);
	debugfs_create_file("lost", 0400, dir, &lost, &count_fops);
	return 0;
}

static void __exit drop_exit(void)
{
	debugfs_remove_recursive(dir);
	nmi_drain();
	unregister_nmi_handler(NMI_LOCAL, "kng_drop");
	unregister_ftrace_function(&level_ops);
	ftrace_free_filter(&level_ops);
}

module_init(drop_init);
module_exit(drop_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test only: has ftrace drop calls in NMI");
