/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kng_direct_xchg(): what bpf_kptr_xchg() calls by its first instruction, when ftrace has put
 * a direct call there (direct.c). All registers are as at that function's entry. It goes on
 * to kng_exact_xchg(), which returns to who called bpf_kptr_xchg().
 */
#include <linux/linkage.h>

#if defined(CONFIG_X86_64)
#include <asm/nospec-branch.h>

/*
 * On the stack: where the call was, in bpf_kptr_xchg(), and above that where its caller goes on.
 * The first is overwritten, and RET takes it. So calls and returns stay in pairs, as ftrace has
 * it when a handler replaces a function: the CPU mispredicts one return. After
 * dropping the word and a jump it would mispredict that of each caller.
 *
 * IBT: nobody jumps here by register (ftrace's list comes by RET), nor to the
 * replacement. ENDBR is there since the address is taken. kCFI: no call by pointer, no
 * check. Rethunk and call depth tracking: RET, and the call that ftrace patched in is counted.
 * ORC: all the time there is one return address at the top. Between the two instructions it is
 * that of a function's start, as it is in ftrace_caller().
 */
SYM_START(kng_direct_xchg, SYM_L_GLOBAL, SYM_A_ALIGN)
	ENDBR
	CALL_DEPTH_ACCOUNT
	movq	$kng_exact_xchg, (%rsp)
	RET
SYM_FUNC_END(kng_direct_xchg)

#elif defined(CONFIG_ARM64)
/*
 * x30: where the call was, in bpf_kptr_xchg(). x9: what x30 was at that function's entry. ftrace's
 * call comes before the function signs x30 or puts it on the shadow call stack.
 * kng_exact_xchg() does that itself, as if it had been called instead.
 *
 * BTI: ftrace_caller() jumps here by x17, which the `bti c' of SYM_FUNC_START takes; the branch
 * below is direct, or through a PLT entry of the module.
 */
SYM_FUNC_START(kng_direct_xchg)
	mov	x30, x9
	b	kng_exact_xchg
SYM_FUNC_END(kng_direct_xchg)
#endif
