// SPDX-License-Identifier: GPL-2.0-only
/*
 * register_ftrace_function() answers EAGAIN, as it does while a BPF trampoline of
 * one of the functions is being changed.
 *
 *   times=N (may be changed)	so many times from now on; what is left can be read
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>

static int times;
module_param(times, int, 0644);
MODULE_PARM_DESC(times, "how often from now on (default 0)");

/* Runs in place of register_ftrace_function(). */
static noinline notrace int try_again(void)
{
	return -EAGAIN;
}

static int answer(struct kprobe *kp, struct pt_regs *regs)
{
	if (READ_ONCE(times) <= 0)
		return 0;
	WRITE_ONCE(times, times - 1);
	instruction_pointer_set(regs, (unsigned long)try_again);
	return 1;
}

NOKPROBE_SYMBOL(answer);

/* A probe that has one is not made a jump, from which it could not lead elsewhere. */
static void after(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
}

NOKPROBE_SYMBOL(after);

static struct kprobe probe = {
	.symbol_name = "register_ftrace_function",
	.pre_handler = answer,
	.post_handler = after,
};

static struct ftrace_ops nothing;

/* Where the answer does not get through, this test would show nothing. */
static int __init again_init(void)
{
	int wanted = times, err = register_kprobe(&probe);

	if (err)
		return err;
	times = 1;
	err = register_ftrace_function(&nothing);
	times = wanted;
	if (err == -EAGAIN)
		return 0;
	pr_err("kng_again: register_ftrace_function() says %d\n", err);
	unregister_kprobe(&probe);
	return -EIO;
}

static void __exit again_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(again_init);
module_exit(again_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test only: ftrace asks to try again");
