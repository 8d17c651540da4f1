// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is built for kernels that are too old: a module that says so.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

static int __init kng_init(void)
{
	pr_err("this kernel is older than Linux 6.7: before 6.2 there is nothing to guard, from 6.2 to 6.6 boot a newer one\n");
	return -EOPNOTSUPP;
}
module_init(kng_init);

MODULE_DESCRIPTION("Defers BPF kptr destructors out of NMI context (unsupported kernel)");
MODULE_VERSION(KNG_VERSION);
MODULE_LICENSE("GPL");
