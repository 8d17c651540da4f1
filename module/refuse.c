// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is built in the guard's place for kernels that it can't guard: a module
 * that says why. Kbuild chooses, by the kernel's headers. `modinfo -F refuses`
 * tells without loading.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

static int __init kng_init(void)
{
#if defined(KNG_REFUSE_nothing)
	pr_err("this kernel's maps call no destructors of kptrs (no btf_record): there is nothing to guard\n");
#elif defined(KNG_REFUSE_old)
	pr_err("this kernel's BPF has kptrs, but not those of Linux 6.7 (no BPF_KPTR_PERCPU): boot a newer kernel\n");
#else
	pr_err("the guard did not compile for this kernel (dkms' make.log says why): update kptr_nmi_guard, or boot another kernel\n");
#endif
	return -EOPNOTSUPP;
}
module_init(kng_init);

MODULE_INFO(refuses, KNG_REFUSE);
MODULE_DESCRIPTION("Defers BPF kptr destructors out of NMI context (unsupported kernel)");
MODULE_VERSION(KNG_VERSION);
MODULE_LICENSE("GPL");
