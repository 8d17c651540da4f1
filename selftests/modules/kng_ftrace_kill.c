// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading it makes ftrace shut itself down for good, by the very function that
 * ftrace calls when it finds a fault of its own (FTRACE_WARN_ON(), ftrace_bug()).
 * That has no other trigger on a healthy kernel, and is not exported: a kprobe
 * that is never armed tells where it is.
 */
#include <linux/kprobes.h>
#include <linux/module.h>

static int __init ftrace_kill_init(void)
{
	struct kprobe kp = {
		.symbol_name = "ftrace_kill",
		.flags = KPROBE_FLAG_DISABLED,
	};
	void (*kill)(void);
	int err;

	err = register_kprobe(&kp);
	if (err) {
		pr_err("kng_ftrace_kill: no ftrace_kill() to be found: %d\n", err);
		return err;
	}
	kill = (void (*)(void))kp.addr;
	unregister_kprobe(&kp);
	kill();
	return 0;
}

static void __exit ftrace_kill_exit(void)
{
}

module_init(ftrace_kill_init);
module_exit(ftrace_kill_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test only: has ftrace shut itself down");
