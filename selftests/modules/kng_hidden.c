// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hides a function: to who asks with a kprobe that is not to be armed where it
 * is (the guard does, before it hooks), the answer is that there is no such place.
 *
 *   function=NAME	what is hidden
 *   decoy=Y		such a place there is, but nobody calls what is there: as the copy
 *			that a compiler leaves of a function that it has inlined
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>

static char *function = "";
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "what is hidden");

static bool decoy;
module_param(decoy, bool, 0444);
MODULE_PARM_DESC(decoy, "a function that nobody calls is found in its place (default N)");

/* With ftrace's call, and not inline. */
noinline void kng_hidden_decoy(void);

noinline void kng_hidden_decoy(void)
{
	barrier();
}

static notrace int no_such_place(struct kprobe *kp)
{
	return -ENOENT;
}

static notrace void entry(unsigned long ip, unsigned long parent_ip,
			  struct ftrace_ops *op, struct ftrace_regs *fregs)
{
	struct kprobe *kp = (struct kprobe *)ftrace_regs_get_argument(fregs, 0);

	if (!kp->symbol_name || !(kp->flags & KPROBE_FLAG_DISABLED) ||
	    strcmp(kp->symbol_name, function))
		return;
	if (decoy)
		kp->symbol_name = "kng_hidden_decoy";
	else
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)no_such_place);
}

static struct ftrace_ops ops = {
	.func = entry,
	.flags = FTRACE_OPS_FL_IPMODIFY,
};

static int __init hidden_init(void)
{
	static char place[] __initdata = "register_kprobe";
	int err = ftrace_set_filter(&ops, place, strlen(place), 0);

	if (!err)
		err = register_ftrace_function(&ops);
	if (err)
		ftrace_free_filter(&ops);
	return err;
}

static void __exit hidden_exit(void)
{
	unregister_ftrace_function(&ops);
	ftrace_free_filter(&ops);
}

module_init(hidden_init);
module_exit(hidden_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test only: hides a function from the guard");
