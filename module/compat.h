/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernels: the only file with version tests.
 */
#ifndef KNG_COMPAT_H
#define KNG_COMPAT_H

#include <linux/bpf.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/version.h>
#include <linux/workqueue.h>

/*
 * ftrace_regs_get_argument() is spelt alike on all supported kernels, but only
 * this option makes it work, without saving all registers at each call.
 */
#ifndef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
#error "kptr_nmi_guard: the kernel needs CONFIG_DYNAMIC_FTRACE_WITH_ARGS"
#endif

/*
 * Kernels whose bpf_task_release() and bpf_cgroup_release() were read for what
 * they count: only there does the guard count for them (release.c). On a later
 * kernel each release takes a job, until somebody has read it and raises this.
 */
#define KNG_PUTS_ARE_KNOWN	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0) && \
				 LINUX_VERSION_CODE < KERNEL_VERSION(7, 4, 0))

/* With hook=ftrace as well: it is kprobes that tell where a function is. */
#ifndef CONFIG_KPROBES
#error "kptr_nmi_guard: the kernel needs CONFIG_KPROBES"
#endif

/*
 * 6.13 made the namespace of an import a string. Can go with 6.12.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define KNG_IMPORT_NS_BPF_INTERNAL	MODULE_IMPORT_NS(BPF_INTERNAL)
#else
#define KNG_IMPORT_NS_BPF_INTERNAL	MODULE_IMPORT_NS("BPF_INTERNAL")
#endif

/*
 * 6.18 gave per-CPU workqueues, till then the default, a flag of their own, and
 * later kernels warn without it. Can go with 6.17.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define KNG_WQ_PERCPU			0
#else
#define KNG_WQ_PERCPU			WQ_PERCPU
#endif

/* Exported since 5.18, but declared in no header. */
int kern_sys_bpf(int cmd, union bpf_attr *attr, unsigned int size);

#endif /* KNG_COMPAT_H */
