// SPDX-License-Identifier: GPL-2.0-only
/*
 * Has the originals of functions run although somebody else diverts them, as a BPF
 * trampoline does on kernels whose modify_ftrace_direct() does not know IPMODIFY:
 *
 *   insmod kng_bypass.ko function=bpf_task_release_dtor,bpf_task_release
 *   cat /sys/module/kng_bypass/parameters/bypassed
 *
 * ftrace calls its users in the reverse order of their registration. So load it
 * before those that divert: then it has the last word.
 */
#include <linux/atomic.h>
#include <linux/ftrace.h>
#include <linux/module.h>

#include "functions.h"

static atomic_t nr_bypassed = ATOMIC_INIT(0);

static bool on = true;
module_param(on, bool, 0644);
MODULE_PARM_DESC(on, "N: nothing is bypassed now (default Y)");

static int bypassed_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&nr_bypassed));
}

static const struct kernel_param_ops bypassed_ops = { .get = bypassed_get };
module_param_cb(bypassed, &bypassed_ops, NULL, 0444);
MODULE_PARM_DESC(bypassed, "how often that happened");

static notrace void bypass(unsigned long ip, unsigned long parent_ip,
			   struct ftrace_ops *op, struct ftrace_regs *fregs)
{
	unsigned long original = ip + MCOUNT_INSN_SIZE;

	if (!READ_ONCE(on) || ftrace_regs_get_instruction_pointer(fregs) == original)
		return;
	atomic_inc(&nr_bypassed);
	ftrace_regs_set_instruction_pointer(fregs, original);
}

static struct ftrace_ops ops = { .func = bypass };

static int __init bypass_init(void)
{
	return functions_hook(&ops);
}

static void __exit bypass_exit(void)
{
	functions_unhook(&ops);
}

module_init(bypass_init);
module_exit(bypass_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test only: originals run although they are diverted");
