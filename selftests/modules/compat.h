/* SPDX-License-Identifier: GPL-2.0-only */
/* The only file of the test modules that looks at the kernel's version. */
#ifndef KNG_TEST_COMPAT_H
#define KNG_TEST_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/version.h>

/* 6.13 folded hrtimer_init() and the callback into one call; goes with 6.12. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*fn)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
}
#endif

/* 6.13 made the namespace of an import a string; goes with 6.12. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define IMPORT_NS_BPF_INTERNAL	MODULE_IMPORT_NS(BPF_INTERNAL)
#else
#define IMPORT_NS_BPF_INTERNAL	MODULE_IMPORT_NS("BPF_INTERNAL")
#endif

#endif /* KNG_TEST_COMPAT_H */
