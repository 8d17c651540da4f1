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

#include "functions.h"

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
	return functions_hook(&ops);
}

static void __exit ipmodify_exit(void)
{
	functions_unhook(&ops);
}

module_init(ipmodify_init);
module_exit(ipmodify_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test only: holds ftrace's IPMODIFY right on functions");
