// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is built for kernels older than the problem: a module that says so.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

static int __init kng_init(void)
{
	pr_err("this kernel has no btf_record (Linux 6.2): its BPF maps call no destructor that needs the guard; nothing to do\n");
	return -EOPNOTSUPP;
}
module_init(kng_init);

MODULE_DESCRIPTION("Defers BPF kptr destructors out of NMI context (unsupported kernel)");
MODULE_VERSION(KNG_VERSION);
MODULE_LICENSE("GPL");
