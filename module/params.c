// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's parameters: what users can set, and whether the values are
 * possible. Whether this kernel can do what they ask for is not decided here.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/module.h>

#include "params.h"

static unsigned int jobs = KNG_JOBS_DEFAULT;
module_param(jobs, uint, 0444);
MODULE_PARM_DESC(jobs, "Destructor calls that can always be pending at the same time, on all CPUs together: "
		 __stringify(KNG_JOBS_MIN) " to " __stringify(KNG_JOBS_MAX)
		 " jobs of 24 bytes (default " __stringify(KNG_JOBS_DEFAULT) ")");

static unsigned int headroom = KNG_HEADROOM_DEFAULT;
module_param(headroom, uint, 0444);
MODULE_PARM_DESC(headroom, "Jobs beyond the references that maps have room for; grows with the peak of pending jobs: 0 to "
		 __stringify(KNG_JOBS_MAX) " jobs (default " __stringify(KNG_HEADROOM_DEFAULT) ")");

static unsigned int max_jobs = KNG_MAX_JOBS_DEFAULT;
module_param(max_jobs, uint, 0444);
MODULE_PARM_DESC(max_jobs, "Upper limit for the number of jobs, at least the parameter jobs: "
		 __stringify(KNG_JOBS_MIN) " to " __stringify(KNG_MAX_JOBS_MAX)
		 " jobs of 24 bytes (default " __stringify(KNG_MAX_JOBS_DEFAULT) ")");

static unsigned int floor = KNG_FLOOR_DEFAULT;
module_param(floor, uint, 0444);
MODULE_PARM_DESC(floor, "References to expect in each local storage map, and in each map that owns objects: 0 to "
		 __stringify(KNG_FLOOR_MAX)
		 " references (default " __stringify(KNG_FLOOR_DEFAULT) ")");

static unsigned int budget = KNG_BUDGET_DEFAULT;
module_param(budget, uint, 0444);
MODULE_PARM_DESC(budget, "Destructor calls that one hardirq run may make before a worker continues: "
		 __stringify(KNG_BUDGET_MIN) " to " __stringify(KNG_BUDGET_MAX)
		 " calls (default " __stringify(KNG_BUDGET_DEFAULT) ")");

static char *on_empty = "leak";
module_param(on_empty, charp, 0444);
MODULE_PARM_DESC(on_empty, "What to do when no job is left: leak the reference, or run its destructor inline in NMI: leak or inline (default leak)");

static char *teardown = "auto";
module_param(teardown, charp, 0444);
MODULE_PARM_DESC(teardown, "When to hook bpf_obj_free_fields, which slows every map: for destructors that the release door can't guard, for objects and when jobs run short, at load, or as auto but not when jobs run short: auto, always or needed (default auto)");

static char *hook = "auto";
module_param(hook, charp, 0444);
MODULE_PARM_DESC(hook, "How to hook functions: auto, ftrace or kprobe; auto takes kprobe where ftrace can't hook, kprobe misses calls inside kprobe handlers, ftrace leaves bpf_kptr_xchg() to BPF's fentry and fexit (default auto)");

static char *defer = "auto";
module_param(defer, charp, 0444);
MODULE_PARM_DESC(defer, "Which destructor and release calls to defer: those in NMI, also those with interrupts off, whose caller may hold a lock that they take, or the latter once there is, or may be unseen, a scheduler of sched_ext or the like: auto, nmi or irqsoff (default auto)");

static char *reserve = "capacity";
module_param(reserve, charp, 0444);
MODULE_PARM_DESC(reserve, "Jobs for the references that maps have room for, or also count the references and refuse those that have no job, which costs a call for each bpf_kptr_xchg(): capacity or exact (default capacity)");

static bool shrink;
module_param(shrink, bool, 0444);
MODULE_PARM_DESC(shrink, "With reserve=exact: keep jobs for the counted references only, not for all that maps have room for: N or Y (default N)");

static bool refuse_delete = true;
module_param(refuse_delete, bool, 0444);
MODULE_PARM_DESC(refuse_delete, "Refuse to delete task and cgroup storage in NMI, as newer kernels do: N or Y (default Y)");

struct kng_params kng_params;

static bool __init check_range(const char *name, unsigned int value,
			       unsigned int min, unsigned int max)
{
	if (value >= min && value <= max)
		return true;
	pr_err("%s=%u is out of range: set %u to %u\n", name, value, min, max);
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

/* In the order of their enums, or no and yes. */
static const char * const on_empty_names[] __initconst = { "leak", "inline", NULL };
static const char * const teardown_names[] __initconst = { "auto", "always", "needed", NULL };
static const char * const hook_names[] __initconst = { "auto", "ftrace", "kprobe", NULL };
static const char * const defer_names[] __initconst = { "auto", "nmi", "irqsoff", NULL };
static const char * const reserve_names[] __initconst = { "capacity", "exact", NULL };

static bool __init check_choice(const char *name, const char *value,
				const char * const *names, const char *choices, int *choice)
{
	int i;

	for (i = 0; names[i]; i++) {
		if (!strcmp(value, names[i])) {
			*choice = i;
			return true;
		}
	}
	pr_err("%s=%s is unknown: set %s\n", name, value, choices);
	return false;
}

static bool __init check_choices(void)
{
	int empty, mode, kind, off, exact;

	if (!check_choice("on_empty", on_empty, on_empty_names, "leak or inline", &empty) ||
	    !check_choice("teardown", teardown, teardown_names, "auto, always or needed", &mode) ||
	    !check_choice("hook", hook, hook_names, "auto, ftrace or kprobe", &kind) ||
	    !check_choice("defer", defer, defer_names, "auto, nmi or irqsoff", &off) ||
	    !check_choice("reserve", reserve, reserve_names, "capacity or exact", &exact))
		return false;

	kng_params.on_empty = empty;
	kng_params.teardown = mode;
	kng_params.hook = kind;
	kng_params.defer = off;
	kng_params.exact = exact;
	return true;
}

int __init kng_params_parse(void)
{
	if (!check_numbers() || !check_choices())
		return -EINVAL;
	if (shrink && !kng_params.exact) {
		pr_err("shrink=Y needs the count that only reserve=exact keeps: set reserve=exact too\n");
		return -EINVAL;
	}

	kng_params.jobs = jobs;
	kng_params.headroom = headroom;
	kng_params.max_jobs = max_jobs;
	kng_params.floor = floor;
	kng_params.budget = budget;
	kng_params.shrink = shrink;
	kng_params.refuse_delete = refuse_delete;
	return 0;
}
