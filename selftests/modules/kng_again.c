// SPDX-License-Identifier: GPL-2.0-only
/*
 * register_ftrace_function() answers EAGAIN, as it does while a BPF trampoline of
 * one of the functions is being changed.
 *
 *   times=N (may be changed)	so many times from now on; what is left can be read
 */
#include <linux/kprobes.h>
#include <linux/module.h>

static int times;
module_param(times, int, 0644);
MODULE_PARM_DESC(times, "how often from now on (default 0)");

/* Returns to the caller at once: nothing is on the stack but where that is. */
static int answer(struct kprobe *kp, struct pt_regs *regs)
{
	if (READ_ONCE(times) <= 0)
		return 0;
	WRITE_ONCE(times, times - 1);
	regs_set_return_value(regs, -EAGAIN);
	regs->ip = *(unsigned long *)regs->sp;
	regs->sp += sizeof(unsigned long);
	return 1;
}

NOKPROBE_SYMBOL(answer);

static struct kprobe probe = {
	.symbol_name = "register_ftrace_function",
	.pre_handler = answer,
};

static int __init again_init(void)
{
	return register_kprobe(&probe);
}

static void __exit again_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(again_init);
module_exit(again_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test only: ftrace asks to try again");
