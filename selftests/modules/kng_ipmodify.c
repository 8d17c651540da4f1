// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds the right to divert functions, as a livepatch of them does, and makes
 * no use of it:
 *
 *   insmod kng_ipmodify.ko function=bpf_task_release_dtor,bpf_task_release
 *
 * ftrace gives that right on a function to one user at a time, so loading fails
 * with EBUSY where somebody else has it.
 */
#include <linux/ftrace.h>
#include <linux/module.h>

#define MAX_FUNCTIONS 8

static char *function[MAX_FUNCTIONS];
static int nr_functions;
module_param_array(function, charp, &nr_functions, 0444);
MODULE_PARM_DESC(function, "which functions to hold");

/* The instruction pointer stays what it is. */
static notrace void pass(unsigned long ip, unsigned long parent_ip,
			 struct ftrace_ops *op, struct ftrace_regs *fregs)
{
}

static struct ftrace_ops ops = {
	.func = pass,
	.flags = FTRACE_OPS_FL_IPMODIFY,
};

static int __init ipmodify_init(void)
{
	int i, err = nr_functions ? 0 : -EINVAL;

	for (i = 0; !err && i < nr_functions; i++)
		err = ftrace_set_filter(&ops, function[i], strlen(function[i]), 0);
	if (!err)
		err = register_ftrace_function(&ops);
	if (err) {
		ftrace_free_filter(&ops);
		pr_info("kng_ipmodify: not held: %d\n", err);
	}
	return err;
}

static void __exit ipmodify_exit(void)
{
	unregister_ftrace_function(&ops);
	ftrace_free_filter(&ops);
}

module_init(ipmodify_init);
module_exit(ipmodify_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test only: holds ftrace's IPMODIFY right on functions");
