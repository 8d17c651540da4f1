// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kng_bench compares the guard's hook with: an empty handler of each kind
 * that the kernel has.
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/string.h>

#include "bench.h"

static notrace void empty_handler(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
}

static int empty_probe(struct kprobe *kp, struct pt_regs *regs)
{
	return 0;
}

static struct ftrace_ops ops;
static struct kprobe probe;
static bool has_ops, has_probe;

/* A kprobe that is never armed tells, in 6.12 with the ENDBR behind it. */
unsigned long bench_address(const char *name)
{
	struct kprobe kp = { .symbol_name = name, .flags = KPROBE_FLAG_DISABLED };
	unsigned long address;

	if (register_kprobe(&kp))
		return 0;
	address = (unsigned long)kp.addr;
	unregister_kprobe(&kp);
	/* Functions are aligned to 16. */
	return (address & 15) == 4 ? address - 4 : address;
}

static int hook_ftrace(const char *function, unsigned long flags)
{
	struct kprobe kp = { .symbol_name = function, .flags = KPROBE_FLAG_DISABLED };
	int err = register_kprobe(&kp);
	unsigned long address = (unsigned long)kp.addr;

	if (err)
		return err;
	unregister_kprobe(&kp);
	memset(&ops, 0, sizeof(ops));
	ops.func = empty_handler;
	ops.flags = flags;
	err = ftrace_set_filter_ip(&ops, address, 0, 1);
	if (!err)
		err = register_ftrace_function(&ops);
	if (err)
		ftrace_free_filter(&ops);
	has_ops = !err;
	return err;
}

static int hook_kprobe(const char *function)
{
	int err;

	memset(&probe, 0, sizeof(probe));
	probe.symbol_name = function;
	probe.pre_handler = empty_probe;
	err = register_kprobe(&probe);
	has_probe = !err;
	return err;
}

static void unhook(void)
{
	if (has_ops) {
		unregister_ftrace_function(&ops);
		ftrace_free_filter(&ops);
	}
	if (has_probe)
		unregister_kprobe(&probe);
	has_ops = false;
	has_probe = false;
}

int bench_peer(const char *kind, const char *function)
{
	unhook();
	if (!strcmp(kind, "none"))
		return 0;
	if (!strcmp(kind, "ftrace"))
		return hook_ftrace(function, 0);
	if (!strcmp(kind, "recursion"))
		return hook_ftrace(function, FTRACE_OPS_FL_RECURSION);
	if (!strcmp(kind, "ipmodify"))
		return hook_ftrace(function, FTRACE_OPS_FL_IPMODIFY);
	if (!strcmp(kind, "kprobe"))
		return hook_kprobe(function);
	return -EINVAL;
}
