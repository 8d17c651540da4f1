// SPDX-License-Identifier: GPL-2.0-only
/*
 * kptr_nmi_guard: keeps the destructors of BPF's kernel pointers out of NMI.
 *
 * The path of a job, a file for each stage:
 *
 *	hook.c		ftrace enters us where the kernel gives references back
 *			(kprobe.c: kprobes do, where there is no ftrace)
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
 *	watch.c		opens the teardown door when a map needs it
 *	learn.c		brings destructors of other modules to the release door
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "compat.h"
#include "dtor.h"
#include "hook.h"
#include "offload.h"
#include "pool.h"
#include "release.h"
#include "stats.h"
#include "teardown.h"
#include "watch.h"

static unsigned int jobs = KNG_JOBS_DEFAULT;
module_param(jobs, uint, 0444);
MODULE_PARM_DESC(jobs, "Destructor calls that can be pending at once, all CPUs together: "
		 __stringify(KNG_JOBS_MIN) " to " __stringify(KNG_JOBS_MAX)
		 " jobs of 24 bytes (default " __stringify(KNG_JOBS_DEFAULT) ")");

static unsigned int budget = KNG_BUDGET_DEFAULT;
module_param(budget, uint, 0444);
MODULE_PARM_DESC(budget, "Destructor calls that one hardirq run may make before a worker goes on: "
		 __stringify(KNG_BUDGET_MIN) " to " __stringify(KNG_BUDGET_MAX)
		 " calls (default " __stringify(KNG_BUDGET_DEFAULT) ")");

static char *on_empty = "leak";
module_param(on_empty, charp, 0444);
MODULE_PARM_DESC(on_empty, "With no job left: leak the reference, or run its destructor inline in NMI: leak or inline (default leak)");

static char *teardown = "auto";
module_param(teardown, charp, 0444);
MODULE_PARM_DESC(teardown, "When to hook bpf_obj_free_fields, which costs every map: with the first map that holds kptrs, at load, or only for destructors that the release door lacks: auto, always or needed (default auto)");

static char *hook = "auto";
module_param(hook, charp, 0444);
MODULE_PARM_DESC(hook, "What to hook with: auto, ftrace or kprobe; auto takes kprobe where ftrace can't, kprobe misses calls inside kprobe handlers (default auto)");

static enum kng_teardown_mode teardown_mode;

static bool __init check_range(const char *name, unsigned int value,
			       unsigned int min, unsigned int max)
{
	if (value >= min && value <= max)
		return true;
	pr_err("%s=%u is out of range: give %u to %u\n", name, value, min, max);
	return false;
}

/* In the order of their enums. */
static const char * const on_empty_names[] __initconst = { "leak", "inline", NULL };
static const char * const teardown_names[] __initconst = { "auto", "always", "needed", NULL };
static const char * const hook_names[] __initconst = { "auto", "ftrace", "kprobe", NULL };

enum { HOOK_AUTO, HOOK_FTRACE, HOOK_KPROBE };

static int __init check_choice(const char *name, const char *value,
			       const char * const *names, const char *choices)
{
	int i;

	for (i = 0; names[i]; i++) {
		if (!strcmp(value, names[i]))
			return i;
	}
	pr_err("%s=%s is unknown: give %s\n", name, value, choices);
	return -EINVAL;
}

static int __init check_params(void)
{
	int ret;

	if (!check_range("jobs", jobs, KNG_JOBS_MIN, KNG_JOBS_MAX) ||
	    !check_range("budget", budget, KNG_BUDGET_MIN, KNG_BUDGET_MAX))
		return -EINVAL;

	ret = check_choice("on_empty", on_empty, on_empty_names, "leak or inline");
	if (ret < 0)
		return ret;
	kng_on_empty = ret;

	ret = check_choice("teardown", teardown, teardown_names,
			   "auto, always or needed");
	if (ret < 0)
		return ret;
	teardown_mode = ret;

	ret = check_choice("hook", hook, hook_names, "auto, ftrace or kprobe");
	if (ret < 0)
		return ret;
	if (ret == HOOK_KPROBE) {
		kng_hook_kind = KNG_HOOK_KPROBE;
	} else if (!kng_hook_exists("bpf_obj_free_fields")) {
		if (ret == HOOK_FTRACE) {
			pr_err("bpf_obj_free_fields is not in ftrace's available_filter_functions: load with hook=kprobe\n");
			return -EOPNOTSUPP;
		}
		kng_hook_kind = KNG_HOOK_KPROBE;
	}
	return 0;
}

static const char * __init cure(int err)
{
	switch (err) {
	case -EBUSY:
		return "set sysctl kernel.ftrace_enabled=1 and load again";
	case -ENODEV:
		return "ftrace has shut itself down, see the log above; reboot";
	default:
		return "see CONFIG_DYNAMIC_FTRACE and available_filter_functions";
	}
}

static int __init open_doors(void)
{
	int guarded, ret;

	ret = kng_watch_init();
	if (ret && ret != -EOPNOTSUPP) {
		pr_err("nothing can be hooked (%d): %s\n", ret, cure(ret));
		return ret;
	}

	guarded = kng_release_init();
	if (guarded < 0) {
		pr_err("the kernel makes no map with a kptr (%d): it needs CONFIG_DEBUG_INFO_BTF and /sys/kernel/btf/vmlinux, and the loader the right to use bpf(2)\n",
		       guarded);
		kng_watch_exit();
		return guarded;
	}

	/* Where the kernel itself frees nothing in NMI, releases are all there is. */
	if (!guarded && kng_hook_exists("bpf_obj_cancel_fields")) {
		pr_err("no release function can be hooked, see above, and this kernel needs no other guard: unload what holds them\n");
		kng_watch_exit();
		return -EBUSY;
	}

	/* Without the release door the other is all there is. */
	ret = kng_watch_start(guarded ? teardown_mode : KNG_TEARDOWN_ALWAYS);
	if (ret && guarded) {
		pr_warn("bpf_obj_free_fields can't be hooked (%d): destructors of other modules run in NMI\n",
			ret);
	} else if (ret) {
		pr_err("nothing can be hooked (%d): %s\n", ret, cure(ret));
		kng_watch_exit();
		kng_release_exit();
		return ret;
	}
	return 0;
}

/* Each step can be undone; the doors open last. kng_exit() is the mirror. */
static int __init kng_init(void)
{
	int ret;

	ret = check_params();
	if (ret)
		return ret;

	ret = kng_pool_alloc(jobs);
	if (ret) {
		pr_err("no memory for %u jobs: load with a smaller jobs=\n", jobs);
		return ret;
	}

	ret = kng_dtor_init();
	if (ret) {
		pr_err("modules can't be followed (%d)\n", ret);
		goto free_pool;
	}

	ret = kng_offload_init(budget);
	if (ret) {
		pr_err("the per-CPU queues can't be set up (%d)\n", ret);
		goto exit_dtor;
	}

	ret = open_doors();
	if (ret)
		goto exit_offload;

	kng_stats_init();
	pr_info("version %s guards this kernel: %u jobs, hook %s\n", KNG_VERSION, jobs,
		kng_hook_kind == KNG_HOOK_FTRACE ? "ftrace" :
		"kprobe, which misses calls inside other kprobes' handlers and can be switched off");
	return 0;

exit_offload:
	kng_offload_exit();
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
 *  2. kng_watch_exit(), kng_release_exit(): unregistering patches the call out
 *     and then waits for RCU tasks, that is for each task to have left the
 *     trampoline and the handler, preempted ones too; its grace period includes
 *     one of plain RCU, which an NMI on an idle CPU holds up as well. (kprobes
 *     wait for plain RCU: their handlers can't be preempted.) From here on
 *     nothing pops jobs and nothing queues any.
 *  3. kng_offload_exit(): waits for the irq_work of each CPU, then for the
 *     workers that they may have queued, and runs what is still pending. All
 *     jobs are idle.
 *  4. kng_dtor_exit(): no job holds a module any more.
 *  5. kng_pool_free(): a stalled pop could only be in a handler, see 2.
 */
static void __exit kng_exit(void)
{
	kng_stats_exit();
	kng_watch_exit();
	kng_release_exit();
	kng_offload_exit();
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
