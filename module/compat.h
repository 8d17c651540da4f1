/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernels: the only file with version tests. KNG_HAS_* comes from
 * Kbuild, which asks the kernel's headers.
 */
#ifndef KNG_COMPAT_H
#define KNG_COMPAT_H

#include <linux/bpf.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/version.h>
#include <linux/workqueue.h>

/*
 * ftrace_regs_get_argument() exists on all supported kernels, but works only with this
 * option. With it ftrace need not save all registers at each call.
 */
#ifndef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
#error "kptr_nmi_guard: the kernel needs CONFIG_DYNAMIC_FTRACE_WITH_ARGS"
#endif

/*
 * Kernels whose bpf_task_release(), bpf_cgroup_release() and bpf_put_mem_cgroup() were
 * read (6.8, 6.12, 6.14, 6.19, 7.2 and 7.3). Only on these kernels does the guard change
 * their reference counts itself (put.c). On a later kernel each release takes a job, until
 * its source was read and this was raised. By version: no header shows how a put works.
 */
#define KNG_PUTS_ARE_KNOWN	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0) && \
				 LINUX_VERSION_CODE < KERNEL_VERSION(7, 4, 0))

/* Needed with hook=ftrace, too: hook.c finds the address of a function with a kprobe. */
#ifndef CONFIG_KPROBES
#error "kptr_nmi_guard: the kernel needs CONFIG_KPROBES"
#endif

/*
 * Before 6.13 the namespace of an import is no string. Can go with 6.12.
 */
#ifdef KNG_HAS_UNQUOTED_NS
#define KNG_IMPORT_NS_BPF_INTERNAL	MODULE_IMPORT_NS(BPF_INTERNAL)
#else
#define KNG_IMPORT_NS_BPF_INTERNAL	MODULE_IMPORT_NS("BPF_INTERNAL")
#endif

/*
 * Workqueues were per-CPU by default. Since 6.18 they have a flag for that, stable kernels
 * have it, too, and later ones warn without it. Can go with 6.17.
 */
#ifdef KNG_HAS_WQ_PERCPU
#define KNG_WQ_PERCPU			WQ_PERCPU
#else
#define KNG_WQ_PERCPU			0
#endif

/*
 * Since 6.9 programs have bpf_kptr_xchg() inline, unless bpf_jit_supports_ptr_xchg() says
 * no. Before, they call it. Can go with 6.8.
 */
#ifdef KNG_HAS_INLINED_XCHG
#define KNG_XCHG_IS_INLINED		true
#else
#define KNG_XCHG_IS_INLINED		false
#endif

/*
 * Where a function can be made to call a stub of ours (direct.h) with nothing of ftrace in
 * between: register_ftrace_direct() takes an ftrace_ops since 6.4, and on arm64 only
 * CALL_OPS spares the way through the list of all ops.
 */
#if defined(CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS) && defined(KNG_HAS_DIRECT_OPS) && \
	(defined(CONFIG_X86_64) ||	\
	 (defined(CONFIG_ARM64) && defined(CONFIG_DYNAMIC_FTRACE_WITH_CALL_OPS)))
#define KNG_HAS_DIRECT
#endif

/* Exported since 5.18, but declared in no header. */
int kern_sys_bpf(int cmd, union bpf_attr *attr, unsigned int size);

#endif /* KNG_COMPAT_H */
