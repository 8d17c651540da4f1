// SPDX-License-Identifier: GPL-2.0-only
/*
 * An NMI at a chosen place: while armed, each pass through the function
 * at= (not in NMI itself) gets an NMI on this very CPU before its first
 * instruction runs. Where the callers of that function hold a lock, the
 * NMI interrupts the lock's holder every time, which a random NMI hits
 * about never.
 *
 *   insmod kng_nmi_at.ko at=rcu_segcblist_enqueue
 *   echo 8 > /sys/kernel/debug/kng_nmi_at/armed     # the next 8 passes
 *   cat /sys/kernel/debug/kng_nmi_at/{armed,sent,handled}
 *
 * The hook is ftrace at a function's entry. at=SYMBOL+OFFSET and kprobe=1 take
 * a kprobe instead; inside its handler no other kprobe on this CPU is
 * served, so everything that the NMI reaches is hidden from kprobe users.
 *
 * On arm64 pmu=1 takes the PMU's interrupt (nmi_pmu.h) and not an NMI of our own. With
 * inside=1 the passes that count are those in an NMI: the PMU's, which an SError can
 * interrupt. (x86 has no NMI that another one can.)
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>

#include "files.h"
#include "nmi_send.h"
#ifdef CONFIG_ARM64
#include "nmi_pmu.h"
#endif

static char *at;
module_param(at, charp, 0444);
MODULE_PARM_DESC(at, "where: SYMBOL, or SYMBOL+OFFSET (implies kprobe=1)");

static bool kprobe;
module_param(kprobe, bool, 0444);
MODULE_PARM_DESC(kprobe, "hook with a kprobe and not with ftrace (default N)");

#ifdef CONFIG_ARM64
static bool pmu;
module_param(pmu, bool, 0444);
MODULE_PARM_DESC(pmu, "by the PMU: an overflow of the cycles that perf counts (default N)");

static bool inside;
module_param(inside, bool, 0444);
MODULE_PARM_DESC(inside, "where the function runs in an NMI, but in none inside that (default N)");
#else
#define inside false
#endif

static atomic_t armed = ATOMIC_INIT(0);
static atomic64_t late = ATOMIC64_INIT(0);
static struct dentry *dir;

/* A bound for a broken machine only: delivery takes well under 1000 spins. */
#define DELIVERY_SPINS 10000000

#ifdef CONFIG_ARM64
/* Context: preemption off. */
static notrace void hit_by_pmu(void)
{
	if (!pmu_waits()) {
		atomic_inc(&armed);
		return;
	}
	atomic64_inc(&nmi_sent);
	atomic64_inc(pmu_overflow(DELIVERY_SPINS) ? &nmi_handled : &late);
}
#endif

static notrace void hit(void)
{
	int cpu;

	if (atomic_dec_if_positive(&armed) < 0)
		return;
	preempt_disable_notrace();
	cpu = smp_processor_id();
#ifdef CONFIG_ARM64
	if (pmu) {
		hit_by_pmu();
		preempt_enable_notrace();
		return;
	}
#endif
	if (!nmi_send(cpu))
		atomic_inc(&armed);
	else if (!nmi_wait(cpu, DELIVERY_SPINS))
		atomic64_inc(&late);
	preempt_enable_notrace();
}

/* In as many levels of NMI as were asked for. @own: how many the hook itself may be. */
static __always_inline bool wanted_here(unsigned int own)
{
	unsigned int level = (preempt_count() & NMI_MASK) >> NMI_SHIFT;

	return level >= inside && level <= inside + own;
}

static notrace void at_entry(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *op, struct ftrace_regs *fregs)
{
	if (wanted_here(0))
		hit();
}

static struct ftrace_ops entry_ops = { .func = at_entry };

/*
 * On x86 a kprobe inside a function is an int3, and that counts as one level of
 * NMI; at the entry it rides on ftrace and counts as none. On arm64 it is a BRK,
 * which is no NMI.
 */
static int at_probe(struct kprobe *kp, struct pt_regs *regs)
{
	if (wanted_here(IS_ENABLED(CONFIG_X86) && !kprobe_ftrace(kp)))
		hit();
	return 0;
}

NOKPROBE_SYMBOL(at_probe);

/* Its presence keeps the kprobe an int3: an optimised one has no level. */
static void at_probe_done(struct kprobe *kp, struct pt_regs *regs,
			  unsigned long flags)
{
}

NOKPROBE_SYMBOL(at_probe_done);

static struct kprobe probe = { .pre_handler = at_probe };

static int hook_kprobe(void)
{
	char *plus = strchr(at, '+');

	if (plus) {
		if (kstrtouint(plus + 1, 0, &probe.offset))
			return -EINVAL;
		*plus = '\0';
		probe.post_handler = at_probe_done;
	}
	probe.symbol_name = at;
	return register_kprobe(&probe);
}

static int hook_ftrace(void)
{
	int err = ftrace_set_filter(&entry_ops, at, strlen(at), 1);

	if (!err)
		err = register_ftrace_function(&entry_ops);
	if (err)
		ftrace_free_filter(&entry_ops);
	return err;
}

static int hook(void)
{
	kprobe = kprobe || strchr(at, '+');
	return kprobe ? hook_kprobe() : hook_ftrace();
}

static void unhook(void)
{
	if (kprobe) {
		unregister_kprobe(&probe);
		return;
	}
	unregister_ftrace_function(&entry_ops);
	ftrace_free_filter(&entry_ops);
}

static int __init nmi_at_init(void)
{
	int err;

	if (!at || !*at) {
		pr_err("kng_nmi_at: at= is missing: name a function\n");
		return -EINVAL;
	}
	err = nmi_begin();
	if (err)
		return err;
	err = hook();
	if (err) {
		nmi_end();
		pr_err("kng_nmi_at: no hook at %s: %d\n", at, err);
		return err;
	}
	dir = debugfs_create_dir("kng_nmi_at", NULL);
	debugfs_create_atomic_t("armed", 0600, dir, &armed);
	debugfs_create_file("sent", 0400, dir, &nmi_sent, &count_fops);
	debugfs_create_file("handled", 0400, dir, &nmi_handled, &count_fops);
	debugfs_create_file("late", 0400, dir, &late, &count_fops);
	return 0;
}

static void __exit nmi_at_exit(void)
{
	debugfs_remove_recursive(dir);
	atomic_set(&armed, 0);
	unhook();
	nmi_end();
}

module_init(nmi_at_init);
module_exit(nmi_at_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test only: an NMI on this CPU at the entry of a function");
