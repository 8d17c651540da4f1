// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts, independently of the guard and of BPF, how often functions are
 * entered, and how often of that in NMI:
 *
 *   /sys/kernel/debug/kng_witness/counts    lines "NAME total nmi"
 *   /sys/kernel/debug/kng_witness/reset     write anything
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
#include <linux/debugfs.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#define MAX_WATCHED 16

static char *names[MAX_WATCHED] = {
	"bpf_task_release_dtor", "bpf_cgroup_release_dtor",
	"bpf_cpumask_release_dtor", "bpf_crypto_ctx_release_dtor",
	"bpf_task_release", "bpf_cgroup_release",
	"bpf_cpumask_release", "bpf_crypto_ctx_release",
	"put_task_struct_rcu_user", "css_release", "call_rcu",
};

static int nr_names = 11;
module_param_array(names, charp, &nr_names, 0444);
MODULE_PARM_DESC(names, "functions to watch instead of the built-in list");

struct watched {
	struct ftrace_ops ops;
	const char *name;
	atomic64_t total;
	atomic64_t nmi;
	bool on;
};

static struct watched watched[MAX_WATCHED];
static struct dentry *dir;

static notrace void seen(unsigned long ip, unsigned long parent_ip,
			 struct ftrace_ops *op, struct ftrace_regs *fregs)
{
	struct watched *w = container_of(op, struct watched, ops);

	atomic64_inc(&w->total);
	if (in_nmi())
		atomic64_inc(&w->nmi);
}

static void watch(struct watched *w, char *name)
{
	int err;

	w->name = name;
	w->ops.func = seen;
	err = ftrace_set_filter(&w->ops, name, strlen(name), 1);
	if (!err)
		err = register_ftrace_function(&w->ops);
	w->on = !err;
	if (err) {
		ftrace_free_filter(&w->ops);
		pr_info("kng_witness: %s is not watched: %d\n", name, err);
	}
}

static void unwatch(struct watched *w)
{
	if (!w->on)
		return;
	unregister_ftrace_function(&w->ops);
	ftrace_free_filter(&w->ops);
	w->on = false;
}

static int counts_show(struct seq_file *m, void *unused)
{
	int i;

	for (i = 0; i < nr_names; i++)
		if (watched[i].on)
			seq_printf(m, "%s %lld %lld\n", watched[i].name,
				   atomic64_read(&watched[i].total),
				   atomic64_read(&watched[i].nmi));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counts);

static ssize_t reset_write(struct file *file, const char __user *ubuf,
			   size_t len, loff_t *pos)
{
	int i;

	for (i = 0; i < nr_names; i++) {
		atomic64_set(&watched[i].total, 0);
		atomic64_set(&watched[i].nmi, 0);
	}
	return len;
}

static const struct file_operations reset_fops = {
	.owner = THIS_MODULE,
	.write = reset_write,
};

static int __init witness_init(void)
{
	int i, on = 0;

	for (i = 0; i < nr_names; i++) {
		watch(&watched[i], names[i]);
		on += watched[i].on;
	}
	if (!on) {
		pr_err("kng_witness: nothing to watch\n");
		return -ENOENT;
	}
	dir = debugfs_create_dir("kng_witness", NULL);
	debugfs_create_file("counts", 0400, dir, NULL, &counts_fops);
	debugfs_create_file("reset", 0200, dir, NULL, &reset_fops);
	return 0;
}

static void __exit witness_exit(void)
{
	int i;

	debugfs_remove_recursive(dir);
	for (i = 0; i < nr_names; i++)
		unwatch(&watched[i]);
}

module_init(witness_init);
module_exit(witness_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test only: counts kptr destructors, and those in NMI");
