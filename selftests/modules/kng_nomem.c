// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guard's memory runs out, and nobody else's: while the parameter `fail' is
 * Y, what the guard calls for memory goes to a function that has none. Load it
 * before the guard.
 *
 *   function=NAME[,NAME]	what has no memory (default: where jobs come from)
 *   fail=Y (may be changed)	from now on
 *   let=N (may be changed)	the guard's calls of __vmalloc() wait, but for the first N,
 *				until it is -1 again (default)
 *   came (read only)		how many of them came since it was -1
 *   nth=N (may be changed)	once: the N-th call below the guard's init, by whom
 *				the guard calls too
 *   failed (read only)		how often that happened
 *   below (read only)		calls below the guard's init since `nth' was set
 */
#include <linux/delay.h>
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>
#include <linux/vmalloc.h>

#define GUARD "kptr_nmi_guard"
#define MAX_FUNCTIONS 4

static char *function[MAX_FUNCTIONS] = { "__vmalloc_noprof" };
static int nr_functions = 1;
module_param_array(function, charp, &nr_functions, 0444);
MODULE_PARM_DESC(function, "which functions have no memory");

static bool fail;
module_param(fail, bool, 0644);
MODULE_PARM_DESC(fail, "from now on (default N)");

static int let = -1;
static atomic_t nr_came = ATOMIC_INIT(0);

static int let_set(const char *val, const struct kernel_param *kp)
{
	int err = param_set_int(val, kp);

	if (!err && let < 0)
		atomic_set(&nr_came, 0);
	return err;
}

static const struct kernel_param_ops let_ops = { .set = let_set, .get = param_get_int };
module_param_cb(let, &let_ops, &let, 0644);
MODULE_PARM_DESC(let, "so many calls of __vmalloc() need not wait (default -1: none has to)");

static int came_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&nr_came));
}

static const struct kernel_param_ops came_ops = { .get = came_get };
module_param_cb(came, &came_ops, NULL, 0444);

static unsigned int nth;
static unsigned int nr_below;	/* calls below the guard's init, in one load */

static int nth_set(const char *val, const struct kernel_param *kp)
{
	nr_below = 0;
	return param_set_uint(val, kp);
}

static const struct kernel_param_ops nth_ops = { .set = nth_set, .get = param_get_uint };
module_param_cb(nth, &nth_ops, &nth, 0644);
MODULE_PARM_DESC(nth, "once: the N-th call below the guard's init (default 0: none)");

static atomic_t nr_failed = ATOMIC_INIT(0);

static int failed_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&nr_failed));
}

static int below_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(nr_below));
}

static const struct kernel_param_ops below_ops = { .get = below_get };
module_param_cb(below, &below_ops, NULL, 0444);

static const struct kernel_param_ops failed_ops = { .get = failed_get };
module_param_cb(failed, &failed_ops, NULL, 0444);

/* NULL while it is not there. */
static struct module *guard;

/* The task that loads the guard, from before its init until after it. */
static struct task_struct *loader;

/* Loading is more than init: the kernel allocates for itself, too. */
static notrace bool below_init(const struct module *mod)
{
	unsigned long stack[48];
	unsigned int i, n = stack_trace_save(stack, ARRAY_SIZE(stack), 0);

	for (i = 0; i < n; i++) {
		if (within_module(stack[i], mod))
			return true;
	}
	return false;
}

static notrace bool is_nth(const struct module *mod)
{
	unsigned int wanted = READ_ONCE(nth);

	return wanted && current == READ_ONCE(loader) && below_init(mod) &&
	       ++nr_below == wanted;
}

static notrace void *no_memory(void)
{
	return NULL;
}

/* Called in place of __vmalloc(). What that is called from must not be the guard again. */
static notrace void *late_memory(unsigned long size, gfp_t flags)
{
	int ticket = atomic_inc_return(&nr_came);
	void *memory;

	while (READ_ONCE(let) >= 0 && ticket > READ_ONCE(let))
		msleep(20);
	memory = __vmalloc(size, flags);
	barrier();	/* not a jump, which would leave the guard as the caller */
	return memory;
}

static notrace void entry(unsigned long ip, unsigned long parent_ip,
			  struct ftrace_ops *op, struct ftrace_regs *fregs)
{
	struct module *mod = READ_ONCE(guard);

	if (!mod)
		return;
	if (READ_ONCE(let) >= 0 && within_module(parent_ip, mod)) {
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)late_memory);
		return;
	}
	if (!(READ_ONCE(fail) && within_module(parent_ip, mod)) && !is_nth(mod))
		return;
	atomic_inc(&nr_failed);
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)no_memory);
}

static struct ftrace_ops ops = {
	.func = entry,
	.flags = FTRACE_OPS_FL_IPMODIFY,
};

static int module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct module *mod = data;

	if (strcmp(mod->name, GUARD))
		return NOTIFY_DONE;
	WRITE_ONCE(loader, event == MODULE_STATE_COMING ? current : NULL);
	WRITE_ONCE(guard, event == MODULE_STATE_GOING ? NULL : mod);
	return NOTIFY_OK;
}

static struct notifier_block module_nb = { .notifier_call = module_event };

static int __init nomem_init(void)
{
	int i, err = 0;

	for (i = 0; !err && i < nr_functions; i++)
		err = ftrace_set_filter(&ops, function[i], strlen(function[i]), 0);
	if (!err)
		err = register_module_notifier(&module_nb);
	if (err)
		goto free;
	err = register_ftrace_function(&ops);
	if (!err)
		return 0;
	unregister_module_notifier(&module_nb);
free:
	ftrace_free_filter(&ops);
	pr_err("kng_nomem: no hook: %d\n", err);
	return err;
}

static void __exit nomem_exit(void)
{
	unregister_ftrace_function(&ops);
	ftrace_free_filter(&ops);
	unregister_module_notifier(&module_nb);
}

module_init(nomem_init);
module_exit(nomem_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test only: the guard gets no memory");
