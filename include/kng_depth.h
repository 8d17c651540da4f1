/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The recursion guard: how deep one CPU is inside the guard's own code.
 *
 * No atomic operation is needed: whatever interrupts this CPU gives back what it
 * added before it returns. A plain increment that such a visitor interrupts half
 * way therefore still stores the right value. One byte for each context level
 * tells, in a dump of a machine that did not survive, in which one it was; all
 * four are read as one word.
 *
 * Nothing here keeps a nested entry out: what is taken while nested is deferred
 * like everything else. Depth is what is counted.
 */
#ifndef KNG_DEPTH_H
#define KNG_DEPTH_H

#ifdef __KERNEL__
#include <linux/compiler.h>
#include <linux/types.h>
#else
#include "kernel.h"
#endif

#define KNG_LEVELS	4

/**
 * union kng_depth - one CPU's depth
 * @level: entries that have not left yet, for each context level
 * @word: all levels at once; 0 when the CPU is not inside
 */
union kng_depth {
	u8 level[KNG_LEVELS];
	u32 word;
};

/**
 * kng_depth_enter() - note that a handler starts its work
 * @depth: this CPU's depth
 * @level: interrupt_context_level()
 *
 * Context: Any, nested NMI included, with preemption off until
 *	kng_depth_exit(). Never sleeps, allocates or locks.
 * Return: true if this CPU was inside already.
 */
static inline bool kng_depth_enter(union kng_depth *depth, unsigned int level)
{
	bool nested = READ_ONCE(depth->word);

	WRITE_ONCE(depth->level[level], depth->level[level] + 1);
	barrier(); /* the level is up before the work that it announces */
	return nested;
}

/**
 * kng_depth_exit() - note that a handler has done its work
 * @depth: the depth given to kng_depth_enter()
 * @level: the level given to kng_depth_enter()
 *
 * Context: As kng_depth_enter().
 */
static inline void kng_depth_exit(union kng_depth *depth, unsigned int level)
{
	barrier(); /* the work is done before the level goes down */
	WRITE_ONCE(depth->level[level], depth->level[level] - 1);
}

#endif /* KNG_DEPTH_H */
