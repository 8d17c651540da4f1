// SPDX-License-Identifier: GPL-2.0-only
/*
 * kptr_nmi_guard: keeps the destructors of BPF's kernel pointers out of NMI.
 *
 * The path of a job. When a hooked function is called in NMI, entry.c passes the call to
 * a door. There are two doors: the kernel frees the fields of an object (teardown.c), or
 * a reference is dropped (release.c). The door takes a job from the pool (pool.c), stores
 * the object and its destructor in it, and queues it (offload.c, queue.c). After the NMI
 * an irq_work or a worker calls the destructor (drain.c) and returns the job to the pool.
 *
 * The files, from the top floor to the ground. Each file calls only files that stand
 * below it:
 *
 *	main.c		loads and unloads
 *	health.c	says in one line whether all is well
 *	stats.c		shows the statistics
 *	watch.c		sees maps come and go, and opens the teardown door
 *	adopt.c		shows maps to the watch that are older than the guard
 *	needs.c		finds out what a map needs of the doors
 *	learn.c		adds destructors of other modules to the release door
 *	storage.c	refuses deletes of local storage in NMI
 *	release.c	the release door
 *	teardown.c	the teardown door
 *	types.c		the table of guarded types
 *	put.c		puts that can't be the last one
 *	reserve.c	decides how many jobs there should be
 *	report.c	logs what the reserve can't give
 *	exact.c		counts the references in maps, if requested
 *	fire.c		has the kernel call what is hooked, to prove that the hook works
 *	probe.c		asks the kernel for the destructor of a type
 *	mapsfile.c	shows the watched maps
 *	maps.c		the watched maps and their charges
 *	unwatched.c	maps that there was no memory to watch
 *	charge.c	how many references a map has room for
 *	drain.c		where destructors run: irq_work, worker, CPU hotplug
 *	offload.c	takes a job in NMI, and has it run later
 *	queue.c		the CPUs' queues of pending jobs, with CPU hotplug
 *	dtor.c		the table of known destructors
 *	delay.c		how long references wait
 *	pool.c		memory for jobs (the algorithm is in include/kng_pool.h)
 *	hook.c		installs hooks
 *	direct.c	the same with ftrace's direct calls
 *	kprobe.c	the same with kprobes
 *	lookup.c	finds the address of a function
 *	entry.c		runs when a hooked function is called
 *	params.c	the module's parameters
 *	creds.c		bpf(2) with the credentials of the kernel
 *	count.c		event counters
 *	trace.c		tracepoints
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "compat.h"
#include "dtor.h"
#include "drain.h"
#include "exact.h"
#include "health.h"
#include "hook.h"
#include "learn.h"
#include "lookup.h"
#include "maps.h"
#include "params.h"
#include "pool.h"
#include "release.h"
#include "reserve.h"
#include "stats.h"
#include "storage.h"
#include "watch.h"

static int __init init_exact(void)
{
	int ret;

	if (!kng_watch_complete()) {
		pr_err("maps can't be followed: load with reserve=capacity\n");
		return -EOPNOTSUPP;
	}
	ret = kng_exact_init();
	if (ret)
		return ret;
	/* Maps that are seen from now on are not older than the replacement. */
	if (kng_watch_found_exchangeable())
		pr_warn("maps that can own kptrs are older than the guard: reserve=exact keeps jobs for all that maps have room for; load the guard before other users of BPF\n");
	else
		kng_exact_trust_count();
	return 0;
}

static int __init open_doors(void)
{
	int guarded, ret;

	ret = kng_watch_init();
	if (ret && ret != -EOPNOTSUPP) {
		pr_err("nothing can be hooked (%d): %s\n", ret, kng_hook_error_hint(ret));
		return ret;
	}

	guarded = kng_release_init(kng_storage_join);
	if (guarded < 0) {
		if (guarded == -ENOMEM)
			pr_err("no memory to hook releases: free some and load again\n");
		else if (guarded == -EMFILE || guarded == -ENFILE)
			pr_err("no file descriptor is left (%d): raise the loader's limit (ulimit -n), or fs.file-max, and load again\n",
			       guarded);
		else
			pr_err("the kernel makes no map with a kptr (%d): it needs CONFIG_DEBUG_INFO_BTF and /sys/kernel/btf/vmlinux\n",
			       guarded);
		ret = guarded;
		goto close;
	}
	kng_storage_report();

	/* If the kernel itself frees nothing in NMI, releases are all that can be guarded. */
	if (!guarded && kng_watch_kernel_cancels()) {
		pr_err("no release function can be hooked, see above, and this kernel needs no other guard: unload what holds them\n");
		ret = -EBUSY;
		goto close;
	}

	/* Without the release door, the teardown door has to do all the work. */
	ret = kng_watch_start(guarded && !kng_params.exact ? kng_params.teardown :
			      KNG_TEARDOWN_ALWAYS);
	if (ret == -EINTR)
		goto close;
	if (ret && ret != -ENOMEM && guarded) {
		pr_warn("bpf_obj_free_fields can't be hooked (%d): destructors of other modules run in NMI\n",
			ret);
	} else if (ret) {
		pr_err("nothing can be hooked (%d): %s\n", ret, kng_hook_error_hint(ret));
		goto close;
	}

	ret = kng_params.exact ? init_exact() : 0;
	if (!ret)
		return 0;
close:
	/* Releases share an ftrace_ops with storage, which ends with the first of both. */
	kng_watch_exit();
	kng_storage_exit();
	kng_release_exit();
	return ret;
}

/* Each step can be undone. The doors open last. kng_exit() is the mirror image. */
static int __init start(void)
{
	int ret;

	ret = kng_pool_alloc(kng_params.jobs, kng_params.max_jobs);
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

	ret = kng_reserve_init(kng_watch_note_shortage);
	if (ret) {
		pr_err("no workqueue can be made (%d)\n", ret);
		goto exit_dtor;
	}

	ret = kng_drain_init(kng_reserve_note_usage);
	if (ret) {
		pr_err("the per-CPU queues can't be set up (%d)\n", ret);
		goto exit_reserve;
	}

	ret = kng_learn_init();
	if (ret) {
		pr_err("modules can't be followed (%d)\n", ret);
		goto exit_drain;
	}

	ret = open_doors();
	/* modprobe takes EEXIST for "already loaded", which is success. */
	if (ret == -EEXIST)
		ret = -EIO;
	if (ret)
		goto exit_learn;

	kng_reserve_settle();
	kng_stats_init();
	kng_health_init();
	pr_info("version %s guards this kernel: %u jobs, hook %s\n", KNG_VERSION, kng_pool_total(),
		kng_hook_uses_ftrace() ? "ftrace" :
		"kprobe, which misses calls inside other kprobes' handlers and can be switched off");
	return 0;

exit_learn:
	kng_learn_exit();
exit_drain:
	kng_drain_exit();
exit_reserve:
	kng_reserve_exit();
	kng_maps_exit();
exit_dtor:
	kng_dtor_exit();
free_pool:
	kng_pool_free();
	return ret;
}

static int __init kng_init(void)
{
	int ret;

	ret = kng_params_parse();
	if (!ret)
		ret = kng_hook_init();
	if (!ret)
		ret = start();
	kng_lookup_init_done();
	return ret;
}

/*
 * Why nothing can run our code or use our memory afterwards:
 *
 *  1. kng_health_exit(), kng_stats_exit(): sysfs and debugfs wait for readers.
 *  2. kng_exact_exit(), kng_watch_exit(), kng_storage_exit(), kng_release_exit():
 *     unregistering a hook removes the call and then waits for an RCU-tasks grace
 *     period. After that no task, not even a preempted one, is in the trampoline or in
 *     a handler. The wait includes a grace period of plain RCU, which covers NMIs on
 *     idle CPUs. (Removing a kprobe waits for plain RCU, because its handler can't be
 *     preempted.) From here on nothing takes a job or queues one.
 *  3. kng_learn_exit(): nothing is hooked in other modules any more.
 *  4. kng_drain_exit(): waits for the irq_work of each CPU, then for the workers that
 *     these may have queued, and runs the jobs that are still pending. Then all jobs
 *     are idle.
 *  5. kng_reserve_exit(), kng_maps_exit(): only hooks and the irq_work called the
 *     reserve, and only hooks used the maps.
 *  6. kng_dtor_exit(): no job holds a module any more.
 *  7. kng_pool_free(): a pop that reads a job could only be in a handler, see 2.
 */
static void __exit kng_exit(void)
{
	kng_health_exit();
	kng_stats_exit();
	kng_exact_exit();
	kng_watch_exit();
	kng_storage_exit();
	kng_release_exit();
	kng_learn_exit();
	kng_drain_exit();
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
