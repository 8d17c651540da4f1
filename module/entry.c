// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ftrace calls on entry to a hooked function.
 *
 * To skip the function the handler sets the instruction pointer to an empty
 * function of ours, which returns to the caller. livepatch works that way
 * (kernel/livepatch/patch.c).
 *
 * The handlers can be entered again at any point (an NMI's int3 or #DB): all
 * that they share is lock-free. What they call in the kernel can be traced by a
 * program that tears kptrs down and so enters us again: irq_work_queue(),
 * refcount_dec_not_one(), and for the destructors of modules try_module_get()
 * with its tracepoint. That ends, because BPF does not start a program again
 * that is running on the same CPU.
 *
 * They run with preemption on, if the caller does. What they don't divert they
 * return from at once, and touch nothing; in NMI, or with interrupts off, nothing
 * preempts.
 */
#include <linux/percpu.h>
#include <linux/preempt.h>

#include "compat.h"
#include "entry.h"
#include "kng_depth.h"
#include "stats.h"

bool kng_entry_irqsoff;

static DEFINE_PER_CPU(union kng_depth, depth);

/* First argument of the guard's own call under way on this CPU; not used in NMI. */
static DEFINE_PER_CPU(unsigned long, passing);

bool kng_entry_divert(struct kng_hook *hook, unsigned long arg0, unsigned long arg1)
{
	union kng_depth *here = this_cpu_ptr(&depth);
	unsigned int level = interrupt_context_level();
	bool skip;

	if (kng_depth_enter(here, level))
		kng_count(KNG_NESTED);
	kng_count(in_nmi() ? KNG_SEEN_NMI : KNG_SEEN_IRQSOFF);
	skip = hook->divert(hook, arg0, arg1);
	kng_depth_exit(here, level);
	return skip;
}

/* Where a skipped function's caller gets instead. */
static void stub(void)
{
}

/*
 * Who has interrupts off may hold a lock that destructors want, as a program at
 * sched_switch holds the runqueue's. The guard's irq_work has them off, too: its
 * own call passes, and so does all of that object within it, as a destructor may
 * call the release kfunc (bpf_crypto_ctx_release_dtor() does). That lets no
 * program pass which a tracepoint starts in the middle of it: as long as programs
 * have a reference to the object, the destructor's put is not the last, and holds
 * no lock.
 */
static bool irqsoff_diverts(unsigned long arg0)
{
	return irqs_disabled() && __this_cpu_read(passing) != arg0;
}

static bool diverts(struct ftrace_regs *fregs)
{
	if (unlikely(in_nmi()))
		return true;
	return unlikely(kng_entry_irqsoff) && irqsoff_diverts(ftrace_regs_get_argument(fregs, 0));
}

void kng_entry_let_pass(void *arg0)
{
	if (kng_entry_irqsoff && irqs_disabled())
		__this_cpu_write(passing, (unsigned long)arg0);
}

static void divert(struct kng_hook *hook, struct ftrace_regs *fregs)
{
	if (kng_entry_divert(hook, ftrace_regs_get_argument(fregs, 0),
			     ftrace_regs_get_argument(fregs, 1)))
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)stub);
}

static void divert_entry(unsigned long ip, unsigned long parent_ip,
			 struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	if (diverts(fregs))
		divert(container_of(ops, struct kng_hook, ops), fregs);
}

static void both_entry(unsigned long ip, unsigned long parent_ip,
		       struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct kng_hook *hook = container_of(ops, struct kng_hook, ops);

	if (diverts(fregs))
		divert(hook, fregs);
	else
		hook->outside(ftrace_regs_get_argument(fregs, 0),
			      ftrace_regs_get_argument(fregs, 1));
}

static void replace_entry(unsigned long ip, unsigned long parent_ip,
			  struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct kng_hook *hook = container_of(ops, struct kng_hook, ops);

	ftrace_regs_set_instruction_pointer(fregs, hook->replacement);
}

static void any_entry(unsigned long ip, unsigned long parent_ip,
		      struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct kng_hook *hook = container_of(ops, struct kng_hook, ops);

	hook->enter(ftrace_regs_get_argument(fregs, 0));
}

ftrace_func_t kng_entry_of(const struct kng_hook *hook)
{
	if (hook->enter)
		return any_entry;
	if (hook->replacement)
		return replace_entry;
	return hook->outside ? both_entry : divert_entry;
}
