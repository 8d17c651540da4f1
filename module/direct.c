// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hooks by ftrace's direct calls. direct.h makes the stubs.
 *
 * Removal: ftrace marks each ops of a module as dynamic, direct or not. So
 * unregister_ftrace_direct() takes the call out of the function and then waits as
 * for other hooks, in ftrace_shutdown(): until each CPU has scheduled, and, where tasks are
 * preempted, until each task has left the CPU by itself or is in user space. That covers a task
 * that was preempted in the stub or in the replacement, neither of which sleeps, and one that is
 * between the call and the stub. On arm64 such a task may still read the ops.
 *
 * FTRACE_OPS_FL_PERMANENT is not set: before 7.x ftrace drops it. The hooks of the map watch have
 * it and are there as long as this one, so the sysctl answers EBUSY all the same.
 *
 * Others: ftrace's tracers and kprobes on the function go on, and get here too: ftrace
 * then calls all of them through its list, and the stub last. A livepatch gets EBUSY after us,
 * since the ops has no ops_func to come to terms with it; before us, we get it.
 */
#include <linux/ftrace.h>

#include "compat.h"
#include "direct.h"
#include "lookup.h"
#include "params.h"

#ifdef KNG_HAS_DIRECT
int kng_direct_install(struct kng_hook *hook)
{
	struct ftrace_ops *ops = &hook->ops;
	unsigned long address = 0;
	int ret;

	hook->is_direct = false;
	hook->group = NULL;
	if (!hook->direct || kng_params.hook == KNG_HOOK_FTRACE)
		return -EOPNOTSUPP;
	memset(ops, 0, sizeof(*ops));
	ret = kng_lookup(hook->function[0], &address);
	if (!ret)
		ret = ftrace_set_filter_ip(ops, address, 0, 0);
	if (!ret)
		ret = register_ftrace_direct(ops, hook->direct);
	if (ret) {
		/* As in hook.c: ftrace had the ops in its list for a moment. */
		synchronize_rcu();
		ftrace_free_filter(ops);
		return ret;
	}
	hook->is_direct = true;
	hook->error[0] = 0;
	hook->hooked = BIT(0);
	return 0;
}

int kng_direct_remove(struct ftrace_ops *ops, const struct kng_hook *hook)
{
	return unregister_ftrace_direct(ops, hook->direct, false);
}
#endif
