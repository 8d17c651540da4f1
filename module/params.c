// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's parameters: what they mean, what they may be.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/module.h>

#include "charge.h"
#include "entry.h"
#include "hook.h"
#include "offload.h"
#include "params.h"
#include "pool.h"
#include "reserve.h"
#include "teardown.h"

static unsigned int jobs = KNG_JOBS_DEFAULT;
module_param(jobs, uint, 0444);
MODULE_PARM_DESC(jobs, "Destructor calls that can be pending at once, all CPUs together, whatever maps there are: "
		 __stringify(KNG_JOBS_MIN) " to " __stringify(KNG_JOBS_MAX)
		 " jobs of 24 bytes (default " __stringify(KNG_JOBS_DEFAULT) ")");

static unsigned int headroom = KNG_HEADROOM_DEFAULT;
module_param(headroom, uint, 0444);
MODULE_PARM_DESC(headroom, "Jobs beyond what maps have room for; grows with the peak of pending jobs: 0 to "
		 __stringify(KNG_JOBS_MAX) " jobs (default " __stringify(KNG_HEADROOM_DEFAULT) ")");

static unsigned int max_jobs = KNG_MAX_JOBS_DEFAULT;
module_param(max_jobs, uint, 0444);
MODULE_PARM_DESC(max_jobs, "Never more jobs than that, of 24 bytes each, nor less than the parameter jobs: "
		 __stringify(KNG_JOBS_MIN) " to " __stringify(KNG_MAX_JOBS_MAX)
		 " jobs (default " __stringify(KNG_MAX_JOBS_DEFAULT) ")");

static unsigned int floor = KNG_FLOOR_DEFAULT;
module_param(floor, uint, 0444);
MODULE_PARM_DESC(floor, "References to reckon with in local storage, and in objects: 0 to "
		 __stringify(KNG_FLOOR_MAX)
		 " references (default " __stringify(KNG_FLOOR_DEFAULT) ")");

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

static char *defer = "nmi";
module_param(defer, charp, 0444);
MODULE_PARM_DESC(defer, "What to defer: destructors and releases that are called in NMI, or also with interrupts off, where a lock may be held that they want: nmi or irqsoff (default nmi)");

static char *reserve = "capacity";
module_param(reserve, charp, 0444);
MODULE_PARM_DESC(reserve, "Jobs for what maps have room for, or also count what is put into them, and refuse what no job can be promised to, which costs each bpf_kptr_xchg() a call: capacity or exact (default capacity)");

static bool shrink;
module_param(shrink, bool, 0444);
MODULE_PARM_DESC(shrink, "With reserve=exact: keep jobs for the references that were counted only, not for what maps have room for: N or Y (default N)");

struct kng_params kng_params;

static bool __init check_range(const char *name, unsigned int value,
			       unsigned int min, unsigned int max)
{
	if (value >= min && value <= max)
		return true;
	pr_err("%s=%u is out of range: give %u to %u\n", name, value, min, max);
	return false;
}

static bool __init check_numbers(void)
{
	return check_range("jobs", jobs, KNG_JOBS_MIN, KNG_JOBS_MAX) &&
	       check_range("headroom", headroom, 0, KNG_JOBS_MAX) &&
	       check_range("max_jobs", max_jobs, jobs, KNG_MAX_JOBS_MAX) &&
	       check_range("floor", floor, 0, KNG_FLOOR_MAX) &&
	       check_range("budget", budget, KNG_BUDGET_MIN, KNG_BUDGET_MAX);
}

/* In the order of their enums. */
static const char * const on_empty_names[] __initconst = { "leak", "inline", NULL };
static const char * const teardown_names[] __initconst = { "auto", "always", "needed", NULL };
static const char * const hook_names[] __initconst = { "auto", "ftrace", "kprobe", NULL };
static const char * const defer_names[] __initconst = { "nmi", "irqsoff", NULL };
static const char * const reserve_names[] __initconst = { "capacity", "exact", NULL };

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

static int __init check_hook(void)
{
	int kind = check_choice("hook", hook, hook_names, "auto, ftrace or kprobe");
	int ret;

	if (kind < 0)
		return kind;
	ret = kng_hook_ask("bpf_obj_free_fields");
	if (ret && ret != -ENOENT) {
		pr_err("nothing can be hooked (%d): %s\n", ret, kng_hook_cure(ret));
		return ret;
	}
	if (ret && kind == HOOK_FTRACE) {
		pr_err("bpf_obj_free_fields is not in ftrace's available_filter_functions: load with hook=kprobe\n");
		return -EOPNOTSUPP;
	}
	if (ret || kind == HOOK_KPROBE)
		kng_hook_kind = KNG_HOOK_KPROBE;
	return 0;
}

static int __init check_defer(void)
{
	int ret = check_choice("defer", defer, defer_names, "nmi or irqsoff");

	if (ret < 0)
		return ret;
	kng_entry_irqsoff = ret;
	if (kng_entry_irqsoff && kng_hook_kind == KNG_HOOK_KPROBE) {
		pr_err("defer=irqsoff needs calls to be skipped, which kprobes can't: load with defer=nmi\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int __init check_reserve(void)
{
	int ret = check_choice("reserve", reserve, reserve_names, "capacity or exact");

	if (ret < 0)
		return ret;
	kng_params.exact = ret;
	kng_params.shrink = shrink;
	if (shrink && !kng_params.exact) {
		pr_err("shrink=Y goes by a count that only reserve=exact has: give that too\n");
		return -EINVAL;
	}
	if (kng_params.exact && kng_hook_kind == KNG_HOOK_KPROBE) {
		pr_err("reserve=exact replaces bpf_kptr_xchg, which kprobes can't: load with reserve=capacity\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

int __init kng_params_check(void)
{
	int ret;

	if (!check_numbers())
		return -EINVAL;
	kng_params.jobs = jobs;
	kng_params.headroom = headroom;
	kng_params.max_jobs = max_jobs;
	kng_params.budget = budget;
	kng_charge_floor = floor;

	ret = check_choice("on_empty", on_empty, on_empty_names, "leak or inline");
	if (ret < 0)
		return ret;
	kng_on_empty = ret;

	ret = check_choice("teardown", teardown, teardown_names, "auto, always or needed");
	if (ret < 0)
		return ret;
	kng_params.teardown = ret;

	ret = check_hook();
	if (!ret)
		ret = check_defer();
	return ret ? ret : check_reserve();
}
