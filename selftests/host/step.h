/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupt a function after each of its machine instructions.
 *
 * x86's trap flag raises a SIGTRAP after every instruction. The handler is on
 * the same stack, above the function that it interrupts, and that function
 * goes on only when it has returned: just like an NMI. The flag is clear in
 * the handler, which may set it again: NMI in NMI.
 *
 * Not under TSan: the interrupted function may be inside TSan's own run time,
 * which is not reentrant.
 */
#ifndef SELFTESTS_HOST_STEP_H
#define SELFTESTS_HOST_STEP_H

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <ucontext.h>

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define STEP_TSAN
#endif
#if __has_feature(address_sanitizer)
#define STEP_ASAN
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define STEP_TSAN
#endif
#ifdef __SANITIZE_ADDRESS__
#define STEP_ASAN
#endif

#if defined(__x86_64__) && !defined(STEP_TSAN)
#define HAVE_STEP

#define STEP_TRAP_FLAG	0x100UL

/*
 * ASan's code has several times as many instructions, most of them its own:
 * visit one in so many there.
 */
#ifdef STEP_ASAN
#define STEP_STRIDE	23
#else
#define STEP_STRIDE	1
#endif

/*
 * @at: visit() is called once, after so many instructions; it ends the stepping
 * @seen: instructions so far; may go on from one step_run() to the next
 * @every: if set, called after each instruction that was stepped
 */
struct step {
	long at;
	long seen;
	void (*visit)(void *arg);
	void (*every)(void *arg);
	void *arg;
};

static struct step *volatile step_now;

/* Did the visit take place, or had the function ended by then? */
static inline bool step_visited(const struct step *step)
{
	return step->seen > step->at;
}

static void step_trap(int signal, siginfo_t *info, void *context)
{
	struct step *step = step_now;

	(void)signal;
	(void)info;
	if (!step)
		return;
	if (step->every)
		step->every(step->arg);
	if (step->seen++ == step->at) {
		ucontext_t *interrupted = context;

		step->visit(step->arg);
		interrupted->uc_mcontext.gregs[REG_EFL] &= ~STEP_TRAP_FLAG;
	}
}

static void step_init(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = step_trap;
	action.sa_flags = SA_NODEFER | SA_SIGINFO;
	sigaction(SIGTRAP, &action, NULL);
}

/* Run @fn(@arg) step by step. May be called by a visitor. */
static __attribute__((__noinline__))
void step_run(struct step *step, void (*fn)(void *arg), void *arg)
{
	struct step *outer = step_now;

	if (step_visited(step)) {
		fn(arg);
		return;
	}
	step_now = step;
	__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() |
				       STEP_TRAP_FLAG);
	fn(arg);
	__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() &
				       ~STEP_TRAP_FLAG);
	step_now = outer;
}

#endif /* __x86_64__ && !STEP_TSAN */
#endif /* SELFTESTS_HOST_STEP_H */
