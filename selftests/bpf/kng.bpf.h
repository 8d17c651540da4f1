/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel types and kfuncs, only as much of them as the programs touch. The
 * loader relocates the fields against the running kernel's BTF, so one build
 * serves all kernels.
 */
#ifndef KNG_BPF_H
#define KNG_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

#include "shared.h"

#define __kernel_type __attribute__((preserve_access_index))

/*
 * Where a program finds the NMIs that test modules send. x86 asks each handler in
 * turn: `handled' tells which one it was for. On arm64 they are SErrors, and nobody
 * else sends any: `handled' is the syndrome, which is not 0.
 */
#ifdef __TARGET_ARCH_arm64
#define KNG_NMI_SECTION	"fentry/do_serror"
#define KNG_NMI_ARGS	void *regs, unsigned long handled
#else
#define KNG_NMI_SECTION	"tp_btf/nmi_handler"
#define KNG_NMI_ARGS	void *handler, __s64 delta_ns, int handled
#endif

#ifndef __kptr
#define __kptr __attribute__((btf_type_tag("kptr")))
#endif

#define ENOENT		2
#define E2BIG		7
#define EBUSY		16
#define EINVAL		22
#define ESRCH		3
#define ENOMEM		12
#define EDEADLK		35
#define EOPNOTSUPP	95
#define ETIMEDOUT	110

struct counter { int counter; } __kernel_type;
struct counter_long { long counter; } __kernel_type;
struct refcount_struct { struct counter refs; } __kernel_type;

struct percpu_ref_data { struct counter_long count; } __kernel_type;
struct percpu_ref {
	unsigned long percpu_count_ptr;
	struct percpu_ref_data *data;
} __kernel_type;
struct cgroup_subsys_state { struct percpu_ref refcnt; } __kernel_type;
struct cgroup { struct cgroup_subsys_state self; } __kernel_type;

struct css_set { struct cgroup *dfl_cgrp; } __kernel_type;

struct task_struct {
	int pid;
	struct refcount_struct rcu_users;
	struct css_set *cgroups;
} __kernel_type;

struct bpf_cpumask { unsigned int usage; } __kernel_type;

/*
 * For kptr fields. clang 14 loses the tag of a pointer to a struct; a typedef
 * between the two keeps it (fixed in clang 15).
 */
typedef struct task_struct kptr_task;
typedef struct cgroup kptr_cgroup;
typedef struct bpf_cpumask kptr_cpumask;

extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym;
extern void bpf_task_release(struct task_struct *p) __ksym;
extern struct cgroup *bpf_cgroup_from_id(__u64 id) __ksym;
extern void bpf_cgroup_release(struct cgroup *cgrp) __ksym;
extern __ksym struct bpf_cpumask *bpf_cpumask_create(void);
extern void bpf_cpumask_release(struct bpf_cpumask *mask) __ksym;

/* The mask is for the verifier: a slot read back from the stack has no bounds. */
#define remember(slot, obj) \
	(ctl.object[(slot) & (KNG_SLOTS_MAX - 1)] = (__u64)(obj))

#define count(field, n) __sync_fetch_and_add(&ctl.field, (n))

#endif /* KNG_BPF_H */
