/* SPDX-License-Identifier: GPL-2.0-only */
/* The parameter function=A,B of test modules that are on functions by ftrace. */
#ifndef SELFTESTS_MODULES_FUNCTIONS_H
#define SELFTESTS_MODULES_FUNCTIONS_H

#include <linux/ftrace.h>
#include <linux/module.h>

#define MAX_FUNCTIONS 8

static char *function[MAX_FUNCTIONS];
static int nr_functions;
module_param_array(function, charp, &nr_functions, 0444);
MODULE_PARM_DESC(function, "which functions");

static void functions_unhook(struct ftrace_ops *ops)
{
	unregister_ftrace_function(ops);
	ftrace_free_filter(ops);
}

static int functions_hook(struct ftrace_ops *ops)
{
	int i, err = nr_functions ? 0 : -EINVAL;

	for (i = 0; !err && i < nr_functions; i++)
		err = ftrace_set_filter(ops, function[i], strlen(function[i]), 0);
	if (!err)
		err = register_ftrace_function(ops);
	if (err) {
		ftrace_free_filter(ops);
		pr_info("%s: no hook: %d\n", KBUILD_MODNAME, err);
	}
	return err;
}

#endif
