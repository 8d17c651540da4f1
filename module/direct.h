/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replacing a function by ftrace's direct calls: the function's first instruction calls a stub
 * of ours, and the stub goes on to the replacement. That takes 36 instructions less than the
 * way through an ftrace handler. But a function has one direct user: BPF's fentry, fexit and
 * fmod_ret programs, which are others, get EBUSY.
 */
#ifndef KNG_DIRECT_H
#define KNG_DIRECT_H

#include "compat.h"
#include "entry.h"

#ifdef KNG_HAS_DIRECT

#if defined(CONFIG_X86_64)
#include <asm/asm-offsets.h>
#include <asm/ibt.h>
#include <asm/linkage.h>
#include <asm/nospec-branch.h>

/*
 * On the stack: where the call was, in the hooked function, and above that where its caller goes
 * on. The first is overwritten, and the return takes it. So calls and returns stay in pairs, as
 * when an ftrace handler replaces a function: the CPU mispredicts one return. After
 * dropping the word and a jump it would mispredict that of each caller.
 *
 * IBT: nobody comes here by an indirect jump (ftrace's list comes by a return), nor to the
 * replacement. ENDBR is there since the address is taken. kCFI: no call by pointer, no check.
 * Return thunks and call depth tracking: the return is ASM_RET, and the call that ftrace
 * patched in is counted, as in ftrace_caller(). ORC: all the time there is one return address
 * at the top. Between the two instructions it is the start of a function, as it is there (and a
 * trace may end early).
 */
#define __KNG_DIRECT_ASM(replacement)				\
	ASM_ENDBR						\
	CALL_DEPTH_ACCOUNT					\
	"	movq	$" replacement ", (%rsp)\n"		\
	ASM_RET
#elif defined(CONFIG_ARM64)
/*
 * x30: where the call was, in the hooked function. x9: what x30 was at that function's entry.
 * ftrace's call comes before the function signs x30 or puts it on the shadow call stack. The
 * replacement does that itself, as if it had been called instead.
 *
 * BTI: ftrace_caller() jumps here by x17, which `bti c' (hint 34) takes. The way on is a return,
 * so that calls and returns stay in pairs, as on x86; BTI does not look at returns. x10 is free
 * at a function's entry.
 */
#define __KNG_DIRECT_ASM(replacement)				\
	"	hint	34\n"					\
	"	mov	x30, x9\n"				\
	"	adr	x10, " replacement "\n"		\
	"	ret	x10\n"
#endif

/**
 * KNG_DIRECT_STUB() - the instructions of a hook's stub, for asm()
 * @stub: its name, as a string
 * @replacement: what it goes on to, as a string: an extern function, with the arguments of the
 *	hooked one. It returns to who called that.
 *
 * Called by ftrace only: by the first instruction of a function, or as if by it. All
 * registers are as at that function's entry. (Aligned: since 7.x an odd address means a jump.)
 */
#define KNG_DIRECT_STUB(stub, replacement)			\
	"	.pushsection	.text, \"ax\", %progbits\n"	\
	"	.balign	16\n"					\
	"	.type	" stub ", %function\n"			\
	"	.globl	" stub "\n"				\
	stub ":\n"						\
	__KNG_DIRECT_ASM(replacement)				\
	"	.size	" stub ", . - " stub "\n"		\
	"	.popsection\n"

/* For @direct of a hook */
#define KNG_DIRECT(stub)	((unsigned long)(stub))

/**
 * kng_direct_install() - have the function of a hook call the hook's stub
 * @hook: the hook, not installed
 *
 * Not with hook=ftrace, so that users can have BPF programs there instead.
 *
 * Context: Task; after kng_hook_init(). The caller serialises calls with the same @hook.
 * Return: 0: @hook->is_direct and @hook->hooked are set; -EOPNOTSUPP: the hook has no stub, or
 *	hook=ftrace; -EBUSY: the function has a direct user, or is diverted; -ENOENT: there is
 *	no such function; or another error of ftrace or kprobes. Nothing is hooked then.
 */
int kng_direct_install(struct kng_hook *hook);

/**
 * kng_direct_remove() - undo kng_direct_install()
 * @ops: the hook's
 * @hook: the hook; its @is_direct is set
 *
 * When this returns 0, no CPU and no preempted task is in the stub or in the replacement, and
 * none will enter them. The filter of @ops is left to the caller.
 *
 * Context: Task. The caller serialises calls with the same @hook.
 * Return: 0; -ENODEV: ftrace has shut itself down, and the stub may still be called.
 */
int kng_direct_remove(struct ftrace_ops *ops, const struct kng_hook *hook);
#else
#define KNG_DIRECT_STUB(...)	""
#define KNG_DIRECT(...)		0

static inline int kng_direct_install(struct kng_hook *hook)
{
	return -EOPNOTSUPP;
}

static inline int kng_direct_remove(struct ftrace_ops *ops, const struct kng_hook *hook)
{
	return -EOPNOTSUPP;
}
#endif

#endif /* KNG_DIRECT_H */
