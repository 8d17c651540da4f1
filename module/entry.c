// SPDX-License-Identifier: GPL-2.0-only
/*
 * What runs when a hooked function is called.
 *
 * Each handler first decides whether the call must be diverted: it must in NMI
 * and, with defer=irqsoff, with interrupts off. All other calls go on as if
 * there were no guard.
 *
 * ftrace calls handlers without its own recursion protection (see hook.c), with
 * preemption on or off. In NMI, and with interrupts off, the CPU can't change.
 * So per-CPU data is used only after that has been established.
 */
#include <linux/irqflags.h>
#include <linux/percpu.h>
#include <linux/preempt.h>

#include "compat.h"
#include "entry.h"
#include "params.h"

DEFINE_PER_CPU(union kng_depth, kng_entry_depth);

/* See kng_entry_mark_own_call(). Neither read nor written in NMI. */
static DEFINE_PER_CPU(unsigned long, own_call_arg);

/* Runs in place of a skipped function. */
static void stub(void)
{
}

/*
 * A caller with interrupts off may hold a lock that destructors take. For
 * instance, a program at sched_switch runs under the runqueue lock.
 *
 * The guard's own irq_work also runs with interrupts off, but holds no lock: its
 * calls are marked and are not diverted. The mark covers all calls with the same
 * object, because some destructors call the release kfunc
 * (bpf_crypto_ctx_release_dtor() does). A tracing program can start in the
 * middle of a marked call and release the same object. That call is not diverted
 * either, but it is harmless: the program holds a reference, so the destructor's
 * own put was not the last one and takes no lock.
 */
static bool irqsoff_diverts(unsigned long arg0)
{
	return irqs_disabled() && __this_cpu_read(own_call_arg) != arg0;
}

void kng_entry_mark_own_call(void *arg0)
{
	if (kng_params.irqsoff && irqs_disabled())
		__this_cpu_write(own_call_arg, (unsigned long)arg0);
}

/* Not inline: calls outside NMI, which are nearly all, save no register for it. */
static noinline void divert(struct kng_hook *hook, struct ftrace_regs *fregs)
{
	if (hook->divert(hook, ftrace_regs_get_argument(fregs, 0),
			 ftrace_regs_get_argument(fregs, 1)))
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)stub);
}

static void nmi_handler(unsigned long ip, unsigned long parent_ip,
			struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	if (unlikely(in_nmi()))
		divert(container_of(ops, struct kng_hook, ops), fregs);
}

/* With defer=irqsoff. */
static void irqsoff_handler(unsigned long ip, unsigned long parent_ip,
			    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	if (in_nmi() || irqsoff_diverts(ftrace_regs_get_argument(fregs, 0)))
		divert(container_of(ops, struct kng_hook, ops), fregs);
}

static void outside_handler(unsigned long ip, unsigned long parent_ip,
			    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct kng_hook *hook = container_of(ops, struct kng_hook, ops);

	if (in_nmi() || (kng_params.irqsoff &&
			 irqsoff_diverts(ftrace_regs_get_argument(fregs, 0))))
		divert(hook, fregs);
	else
		hook->outside(ftrace_regs_get_argument(fregs, 0),
			      ftrace_regs_get_argument(fregs, 1));
}

static void replace_handler(unsigned long ip, unsigned long parent_ip,
			    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct kng_hook *hook = container_of(ops, struct kng_hook, ops);

	ftrace_regs_set_instruction_pointer(fregs, hook->replacement);
}

static void enter_handler(unsigned long ip, unsigned long parent_ip,
			  struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct kng_hook *hook = container_of(ops, struct kng_hook, ops);

	hook->enter(ftrace_regs_get_argument(fregs, 0));
}

ftrace_func_t kng_entry_handler(const struct kng_hook *hook)
{
	if (hook->enter)
		return enter_handler;
	if (hook->replacement)
		return replace_handler;
	if (hook->outside)
		return outside_handler;
	return kng_params.irqsoff ? irqsoff_handler : nmi_handler;
}
