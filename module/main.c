// SPDX-License-Identifier: GPL-2.0-only
/*
 * kptr_nmi_guard: keeps the destructors of BPF's kernel pointers out of NMI.
 *
 * The path of a job, a file for each stage:
 *
 *	hook.c		ftrace enters us where the kernel gives references back
 *			(kprobe.c: kprobes do, where there is no ftrace)
 *	entry.c		is it in NMI? then one of the doors takes it
 *	teardown.c	the kernel frees an object's fields: a job from the pool,
 *			then each pointer into a job
 *	release.c	a program or the kernel releases a reference: the same
 *	dtor.c		which destructor, and whose module must stay
 *	pool.c		where jobs come from (the algorithm: include/kng_pool.h)
 *	offload.c	pending list, irq_work, worker: destructor, job back
 *	stats.c		what was counted on the way
 *
 * Beside the path:
 *
 *	probe.c		asks the kernel for a type's destructor
 *	watch.c		sees maps come and go, and opens the teardown door for them
 *	learn.c		brings destructors of other modules to the release door
 *	charge.c	how many references a map has room for
 *	maps.c		keeps the account, map by map
 *	reserve.c	makes as many jobs as that takes
 *	exact.c		counts what is in the maps, if that is asked for
 *	queue.c		the CPUs' queues, with hotplug
 *	params.c	what the user asked for
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "compat.h"
#include "dtor.h"
#include "exact.h"
#include "hook.h"
#include "maps.h"
#include "offload.h"
#include "params.h"
#include "pool.h"
#include "release.h"
#include "reserve.h"
#include "stats.h"
#include "teardown.h"
#include "watch.h"

static int __init open_doors(void)
{
	int guarded, ret;

	ret = kng_watch_init();
	if (ret && ret != -EOPNOTSUPP) {
		pr_err("nothing can be hooked (%d): %s\n", ret, kng_hook_cure(ret));
		return ret;
	}

	guarded = kng_release_init();
	if (guarded < 0) {
		if (guarded == -ENOMEM)
			pr_err("no memory to hook releases: free some and load again\n");
		else
			pr_err("the kernel makes no map with a kptr (%d): it needs CONFIG_DEBUG_INFO_BTF and /sys/kernel/btf/vmlinux, and the loader the right to use bpf(2)\n",
			       guarded);
		kng_watch_exit();
		return guarded;
	}

	/* Where the kernel itself frees nothing in NMI, releases are all there is. */
	if (!guarded && kng_watch_kernel_cancels()) {
		pr_err("no release function can be hooked, see above, and this kernel needs no other guard: unload what holds them\n");
		kng_watch_exit();
		return -EBUSY;
	}

	/* Without the release door the other is all there is. */
	ret = kng_watch_start(guarded && !kng_params.exact ? kng_params.teardown :
			      KNG_TEARDOWN_ALWAYS);
	if (ret && ret != -ENOMEM && guarded) {
		pr_warn("bpf_obj_free_fields can't be hooked (%d): destructors of other modules run in NMI\n",
			ret);
	} else if (ret) {
		pr_err("nothing can be hooked (%d): %s\n", ret, kng_hook_cure(ret));
		goto close;
	}

	ret = kng_params.exact ? kng_exact_init() : 0;
	if (!ret)
		return 0;
close:
	kng_watch_exit();
	kng_release_exit();
	return ret;
}

/* Each step can be undone; the doors open last. kng_exit() is the mirror. */
static int __init kng_init(void)
{
	int ret;

	ret = kng_params_check();
	if (ret)
		return ret;

	ret = kng_pool_alloc(kng_params.jobs);
	if (ret) {
		pr_err("no memory for %u jobs: load with a smaller jobs=\n", kng_params.jobs);
		return ret;
	}
	kng_exact_raise(kng_params.jobs);

	ret = kng_dtor_init();
	if (ret) {
		pr_err("modules can't be followed (%d)\n", ret);
		goto free_pool;
	}

	ret = kng_reserve_init();
	if (ret) {
		pr_err("no workqueue can be made (%d)\n", ret);
		goto exit_dtor;
	}

	ret = kng_offload_init(kng_params.budget);
	if (ret) {
		pr_err("the per-CPU queues can't be set up (%d)\n", ret);
		goto exit_reserve;
	}

	ret = open_doors();
	/* modprobe takes that for "loaded already", which is success. */
	if (ret == -EEXIST)
		ret = -EIO;
	if (ret)
		goto exit_offload;

	kng_reserve_settle();
	kng_stats_init();
	pr_info("version %s guards this kernel: %u jobs, hook %s\n", KNG_VERSION, kng_pool_total(),
		kng_hook_kind == KNG_HOOK_FTRACE ? "ftrace" :
		"kprobe, which misses calls inside other kprobes' handlers and can be switched off");
	return 0;

exit_offload:
	kng_offload_exit();
exit_reserve:
	kng_reserve_exit();
	kng_maps_exit();
exit_dtor:
	kng_dtor_exit();
free_pool:
	kng_pool_free();
	return ret;
}

/*
 * Why nothing can run our code or touch our memory afterwards:
 *
 *  1. kng_stats_exit(): debugfs waits for readers.
 *  2. kng_exact_exit(), kng_watch_exit(), kng_release_exit(): unregistering
 *     patches the call out and then waits for RCU tasks, that is for each task
 *     to have left the trampoline and the handler, preempted ones too; its grace
 *     period includes one of plain RCU, which an NMI on an idle CPU holds up as
 *     well. (kprobes wait for plain RCU: their handlers can't be preempted.)
 *     From here on nothing pops jobs and nothing queues any.
 *  3. kng_offload_exit(): waits for the irq_work of each CPU, then for the
 *     workers that they may have queued, and runs what is still pending. All
 *     jobs are idle.
 *  4. kng_reserve_exit(), kng_maps_exit(): hooks and irq_work were the last that
 *     called for the one and read the other.
 *  5. kng_dtor_exit(): no job holds a module any more.
 *  6. kng_pool_free(): a stalled pop could only be in a handler, see 2.
 */
static void __exit kng_exit(void)
{
	kng_stats_exit();
	kng_exact_exit();
	kng_watch_exit();
	kng_release_exit();
	kng_offload_exit();
	kng_reserve_exit();
	kng_maps_exit();
	kng_dtor_exit();
	kng_pool_free();
	pr_info("unloaded: destructors run in NMI again\n");
}

module_init(kng_init);
module_exit(kng_exit);

MODULE_DESCRIPTION("Defers BPF kptr destructors out of NMI context");
MODULE_AUTHOR("the kptr_nmi_guard project");
MODULE_VERSION(KNG_VERSION);
MODULE_LICENSE("GPL");
KNG_IMPORT_NS_BPF_INTERNAL;
