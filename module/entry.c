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
#include <linux/rcupdate.h>
#include <linux/static_call.h>

#include "compat.h"
#include "entry.h"

DEFINE_STATIC_KEY_FALSE(kng_entry_irqsoff);

/*
 * See kng_entry_mark_own_call(). One mark for NMI, and one for the code that NMIs
 * interrupt. Code that interrupts a marked call in the same kind of context, a #DB
 * or int3 inside an NMI, restores the mark before it returns.
 */
static DEFINE_PER_CPU(void *, own_call_in_nmi);
static DEFINE_PER_CPU(void *, own_call_irqsoff);

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
static bool is_own_call(struct ftrace_regs *fregs)
{
	return !in_nmi() && (unsigned long)__this_cpu_read(own_call_irqsoff) ==
			    ftrace_regs_get_argument(fregs, 0);
}

/*
 * In NMI the mark is set only where a destructor is to run inline (on_empty=inline,
 * or one that NMIs may call). Then the same call from an NMI program that starts
 * in the middle of it may run inline as well. Outside NMI it is not set.
 */
static bool is_own_call_in_nmi(unsigned long arg0)
{
	return (unsigned long)__this_cpu_read(own_call_in_nmi) == arg0;
}

void *kng_entry_mark_own_call(void *arg0)
{
	void *before = NULL;

	if (in_nmi()) {
		before = __this_cpu_read(own_call_in_nmi);
		__this_cpu_write(own_call_in_nmi, arg0);
	} else if (kng_entry_defers_irqsoff() && irqs_disabled()) {
		before = __this_cpu_read(own_call_irqsoff);
		__this_cpu_write(own_call_irqsoff, arg0);
	}
	return before;
}

/*
 * The handler only decides and diverts. A stub does the work, if it runs: on kernels
 * without 3e9a18e1c3e9 ("ftrace: bpf: Fix IPMODIFY + DIRECT in modify_ftrace_direct()")
 * a BPF trampoline may call the original all the same. If the handler had queued the
 * reference, it would be dropped twice. This way the call is unguarded, no worse.
 */
static __always_inline void divert_all(unsigned long stub, struct ftrace_regs *fregs)
{
	if (is_own_call_in_nmi(ftrace_regs_get_argument(fregs, 0)))
		return;
	kng_count(KNG_BYPASSED); /* until the stub runs */
	ftrace_regs_set_instruction_pointer(fregs, stub);
}

static __always_inline void divert(struct kng_hook *hook, struct ftrace_regs *fregs)
{
	if (hook->divert)
		hook->divert(hook, fregs);
	else
		divert_all(hook->stub, fregs);
}

/* With defer=irqsoff, outside NMI. */
static __always_inline bool must_divert_irqsoff(struct ftrace_regs *fregs)
{
	return irqs_disabled() && !is_own_call(fregs);
}

static __always_inline bool must_divert(struct ftrace_regs *fregs)
{
	return unlikely(in_nmi()) ||
	       (kng_entry_defers_irqsoff() && must_divert_irqsoff(fregs));
}

/*
 * Not inline, and with the handlers' own arguments: calls outside NMI, which are nearly
 * all, save and move no register for it.
 */
static noinline __noclone
void divert_one(unsigned long ip, unsigned long parent_ip,
		struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	divert(container_of(ops, struct kng_hook, ops), fregs);
}

static noinline __noclone __maybe_unused
void divert_one_irqsoff(unsigned long ip, unsigned long parent_ip,
			struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct kng_hook *hook = container_of(ops, struct kng_hook, ops);

	if (!hook->nmi_only && must_divert_irqsoff(fregs))
		divert_one(ip, parent_ip, ops, fregs);
}

/*
 * What a handler does outside NMI: with defer=irqsoff this call, else nothing. Where
 * static calls are patched in place, nothing is the handler's `ret', and costs nothing. A
 * static key leaves a nop.
 */
#ifdef CONFIG_HAVE_STATIC_CALL_INLINE
DEFINE_STATIC_CALL_NULL(one_outside_nmi, divert_one_irqsoff);
DEFINE_STATIC_CALL_NULL(member_outside_nmi, divert_one_irqsoff);
#define call_outside_nmi(name, ...)	static_call_cond(name##_outside_nmi)(__VA_ARGS__)
#define switch_on(name)	\
	static_call_update(name##_outside_nmi, divert_##name##_irqsoff)
#else
#define call_outside_nmi(name, ...) do {			\
	if (kng_entry_defers_irqsoff())				\
		divert_##name##_irqsoff(__VA_ARGS__);		\
} while (0)
#define switch_on(name)		((void)divert_##name##_irqsoff)
#endif

static void divert_handler(unsigned long ip, unsigned long parent_ip,
			   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	if (unlikely(in_nmi()))
		divert_one(ip, parent_ip, ops, fregs);
	else
		call_outside_nmi(one, ip, parent_ip, ops, fregs);
}

static void outside_handler(unsigned long ip, unsigned long parent_ip,
			    struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct kng_hook *hook = container_of(ops, struct kng_hook, ops);

	if (must_divert(fregs))
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

/*
 * On PREEMPT_RT the hook may block, in kmalloc(). RCU tasks does not wait for a task that
 * is blocked, so kng_hook_remove() also waits for RCU.
 */
static void enter(const struct kng_hook *hook, struct ftrace_regs *fregs)
{
	rcu_read_lock();
	hook->enter(ftrace_regs_get_argument(fregs, 0));
	rcu_read_unlock();
}

static void enter_handler(unsigned long ip, unsigned long parent_ip,
			  struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	enter(container_of(ops, struct kng_hook, ops), fregs);
}

/* ftrace's call is among the first instructions of a function, which is as long as this. */
#define ENTRY_BYTES	16

/* Groups have few functions, and only hooked ones get here. */
static const struct kng_member *member_at(struct ftrace_ops *ops, unsigned long ip)
{
	const struct kng_member *m = container_of(ops, struct kng_group, ops)->member;

	while (ip - m->address >= ENTRY_BYTES)
		m++;
	return m;
}

static noinline __noclone __maybe_unused
void divert_member_irqsoff(unsigned long ip, unsigned long parent_ip,
			   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct kng_member *m;

	if (!must_divert_irqsoff(fregs))
		return;
	m = member_at(ops, ip);
	if (!m->hook->nmi_only)
		divert_all(m->stub, fregs);
}

static void group_divert_handler(unsigned long ip, unsigned long parent_ip,
				 struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	if (unlikely(in_nmi()))
		divert_all(member_at(ops, ip)->stub, fregs);
	else
		call_outside_nmi(member, ip, parent_ip, ops, fregs);
}

void kng_entry_defer_irqsoff(void)
{
	/* First what marks the guard's own calls. */
	static_branch_enable(&kng_entry_irqsoff);
	switch_on(one);
	switch_on(member);
}

static void group_enter_handler(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	enter(member_at(ops, ip)->hook, fregs);
}

ftrace_func_t kng_entry_group_handler(const struct kng_hook *hook)
{
	return hook->enter ? group_enter_handler : group_divert_handler;
}

ftrace_func_t kng_entry_handler(const struct kng_hook *hook)
{
	if (hook->enter)
		return enter_handler;
	if (hook->replacement)
		return replace_handler;
	return hook->outside ? outside_handler : divert_handler;
}
