// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hooks made of kprobes, for kernels on which ftrace can't hook a function.
 *
 * A kprobe misses calls: its handler does not run while this CPU is inside the
 * handler of another kprobe. Then the function runs as if it were not hooked,
 * and only the kernel's own count of missed calls tells (`missed' in the stats,
 * a lower bound). So a program on a kprobe that fires in NMI can still run
 * destructors there. Users can also switch kprobes off with
 * /sys/kernel/debug/kprobes/enabled, and those that use ftrace's call site with
 * kernel.ftrace_enabled.
 *
 * These hooks never skip a function. A BPF trampoline that calls the original
 * by its address would run it all the same, and the reference would be dropped
 * twice.
 */
#include <linux/kprobes.h>
#include <linux/preempt.h>
#include <linux/ptrace.h>

#include "entry.h"
#include "kprobe.h"

/*
 * On x86 the handler of an int3 kprobe runs in NMI context itself. So the caller
 * was in NMI only if there is a second level of NMI. On arm64 a BRK is an
 * exception that is no NMI. A kprobe at ftrace's call site is no exception at
 * all. Neither adds a level.
 */
static bool called_in_nmi(struct kprobe *kp)
{
	unsigned int levels = (preempt_count() & NMI_MASK) / NMI_OFFSET;
	unsigned int own = IS_ENABLED(CONFIG_X86) && !kprobe_ftrace(kp);

	return levels > own;
}

static int pre_handler(struct kprobe *kp, struct pt_regs *regs)
{
	struct kng_hook *hook = container_of(kp, struct kng_kprobe, kp)->hook;

	if (unlikely(called_in_nmi(kp)))
		hook->probed(hook, regs_get_kernel_argument(regs, 0),
			     regs_get_kernel_argument(regs, 1));
	return 0;
}

/*
 * Does nothing. The kernel does not optimise a kprobe with a post_handler into a
 * jump. An optimised kprobe would run without the int3 that called_in_nmi()
 * expects.
 */
static void post_handler(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
}

int kng_kprobe_install(struct kng_hook *hook)
{
	int ret = -EOPNOTSUPP;
	unsigned int i;

	if (!hook->probed || hook->outside)
		return ret;

	for (i = 0; i < KNG_HOOK_FUNCTIONS; i++) {
		struct kng_kprobe *k = &hook->kprobe[i];
		int err;

		if (!hook->function[i])
			continue;
		memset(k, 0, sizeof(*k));
		k->hook = hook;
		if (!i && hook->address)
			k->kp.addr = (kprobe_opcode_t *)hook->address;
		else
			k->kp.symbol_name = hook->function[i];
		k->kp.pre_handler = pre_handler;
		k->kp.post_handler = post_handler;
		err = register_kprobe(&k->kp);
		hook->error[i] = err;
		if (!err)
			hook->hooked |= BIT(i);
		else if (err != -ENOENT && err != -EINVAL)
			ret = err;
	}
	return hook->hooked ? 0 : ret;
}

void kng_kprobe_remove(struct kng_hook *hook)
{
	unsigned int i;

	for (i = 0; i < KNG_HOOK_FUNCTIONS; i++) {
		if (hook->hooked & BIT(i))
			unregister_kprobe(&hook->kprobe[i].kp);
	}
}

unsigned long kng_kprobe_missed(const struct kng_hook *hook)
{
	unsigned long missed = 0;
	unsigned int i;

	for (i = 0; i < KNG_HOOK_FUNCTIONS; i++)
		missed += hook->kprobe[i].kp.nmissed;
	return missed;
}
