// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts, independently of the guard and of BPF, how often functions are
 * entered, and how often of that in NMI (tally.h).
 *
 * By default: the destructors of kptrs, the release kfuncs, and the work
 * behind them. A hook that redirects a destructor still lets it be *entered*
 * in NMI; then the last group tells whether anything was done there.
 * names=a,b,c watches those functions instead. What the kernel lacks or
 * does not let be traced is left out, with a line in the log.
 *
 * Each function has an ftrace_ops of its own with its complete filter, set
 * before it is registered: a count needs no lookup, and one function more
 * or less changes nothing for the others.
 */
#include <linux/ftrace.h>
#include <linux/module.h>

#define MAX_TALLIES 16
#define tally_here() (in_nmi() || (irqsoff && irqs_disabled() && !in_hardirq()))

static bool irqsoff;
module_param(irqsoff, bool, 0444);
MODULE_PARM_DESC(irqsoff, "count as NMI what has interrupts off otherwise than in an interrupt");

#include "tally.h"

static char *names[MAX_TALLIES] = {
	"bpf_task_release_dtor", "bpf_cgroup_release_dtor",
	"bpf_cpumask_release_dtor", "bpf_crypto_ctx_release_dtor",
	"bpf_task_release", "bpf_cgroup_release",
	"bpf_cpumask_release", "bpf_crypto_ctx_release", "bpf_put_mem_cgroup",
	"put_task_struct_rcu_user", "css_release", "call_rcu",
};

static int nr_names = 12;
module_param_array(names, charp, &nr_names, 0444);
MODULE_PARM_DESC(names, "functions to watch instead of the built-in list");

/* Of the tally at the same place, if that has a name. */
static struct ftrace_ops ops[MAX_TALLIES];

static notrace void seen(unsigned long ip, unsigned long parent_ip,
			 struct ftrace_ops *op, struct ftrace_regs *fregs)
{
	tally(op->private);
}

static bool watch(int i, char *name)
{
	int err;

	ops[i].func = seen;
	ops[i].private = &tallies[i];
	err = ftrace_set_filter(&ops[i], name, strlen(name), 1);
	if (!err)
		err = register_ftrace_function(&ops[i]);
	if (err) {
		ftrace_free_filter(&ops[i]);
		pr_info("kng_witness: %s is not watched: %d\n", name, err);
		return false;
	}
	tallies[i].name = name;
	return true;
}

static void unwatch(int i)
{
	if (!tallies[i].name)
		return;
	unregister_ftrace_function(&ops[i]);
	ftrace_free_filter(&ops[i]);
}

static int __init witness_init(void)
{
	int i, on = 0;

	for (i = 0; i < nr_names; i++)
		on += watch(i, names[i]);
	if (!on) {
		pr_err("kng_witness: nothing to watch\n");
		return -ENOENT;
	}
	tally_begin();
	return 0;
}

static void __exit witness_exit(void)
{
	int i;

	tally_end();
	for (i = 0; i < nr_names; i++)
		unwatch(i);
}

module_init(witness_init);
module_exit(witness_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test only: counts kptr destructors, and those in NMI");
