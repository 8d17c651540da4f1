/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The recursion guard: is this the only handler of the guard's that is under way on
 * this CPU? It takes no atomic operation.
 *
 * Each CPU has four bytes, one for each context level (task, softirq, hardirq, NMI).
 * Who enters increments the byte of its level, and then reads all four as one
 * little-endian word. It is alone if the word is what its own increment makes of 0:
 *
 *	level[2]++;  word == 0x00010000		alone
 *
 * Rules:
 *   R1. Preemption is off during kng_depth_enter(), and during kng_depth_exit().
 *   R2. Whoever entered leaves, alone or not, by one kng_depth_exit() with the same
 *	 level.
 *   R3. At most KNG_DEPTH_MAX entries of a level are inside at once.
 *
 * Claims:
 *   C1. Of all entries that are inside at once on a CPU, at most one is alone.
 *   C2. When nobody is inside, the word is 0.
 *
 * Why. With R1 nothing comes between the accesses of an entry but contexts that
 * return before it goes on. They leave the word as they found it (R2), so the plain
 * increment, although it is a load and a store, loses nothing: each byte is the number
 * of entries of its level that are inside, modulo 256. That is C2. (A CPU sees its own
 * stores in order, of whatever size; and the scheduler orders them before a switch.)
 * Now let A be inside and alone when B reads the word. Either A's byte is of another
 * level than B's: it is not 0 (R3), and B's word has more than its own bit. Or it is of
 * the same level: then it counts A and B, so it is 2 at least, and not 1 (R3 again). So
 * B is not alone.
 *
 * Where R1 is broken both claims fall. Two tasks that preempt each other:
 *
 *	A			B				level[0]
 *	load 0
 *				load 0, store 1			1
 *				reads 1: alone
 *	store 1, reads 1: alone					1
 *	leaves: load 1, store 0					0
 *				leaves: load 0, store 255	255
 *
 * With preemption off B can't come between A's load and A's store. What lies between
 * enter and exit may be preemptible: then B finds A's increment, and is not alone.
 *
 * "At most one" is not "exactly one": while a handler is inside that is not alone, no
 * later one is, even after the one that was has left. And an entry that ends before the
 * interrupted one has stored its increment is alone, as the latter is afterwards: they
 * are not inside at once.
 *
 * C1 holds for the whole CPU, not for each level: so whatever who is alone does with
 * memory of this CPU that nobody else writes is not disturbed, whoever interrupts it.
 * (In the module that memory is counters. The histogram of delays and the tracepoints do
 * not go by the verdict: they are written where destructors run, by an irq_work, a worker
 * or at CPU hotplug, where no handler is inside.)
 *
 * Nothing here keeps a nested entry out: what is taken while nested is deferred like
 * everything else. In a dump of a machine that did not survive, the bytes tell in which
 * contexts it was.
 */
#ifndef KNG_DEPTH_H
#define KNG_DEPTH_H

#ifdef __KERNEL__
#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/byteorder.h>
#else
#include <endian.h>
#include "kernel.h"
#define __le32			u32
#define le32_to_cpu(x)		le32toh(x)
#endif

#define KNG_LEVELS	4

/* A byte's worth. Entries nest by exceptions, whose stacks hold a few dozen. */
#define KNG_DEPTH_MAX	255

/**
 * union kng_depth - who is inside on one CPU
 * @level: entries that have not left yet, for each context level
 * @word: all levels at once; 0 when nobody is inside
 */
union kng_depth {
	u8 level[KNG_LEVELS];
	__le32 word;
};

/**
 * kng_depth_enter() - note that a handler starts its work
 * @depth: this CPU's depth
 * @level: interrupt_context_level()
 *
 * Context: Any, nested NMI included; preemption off. Never sleeps, allocates or
 *	locks.
 * Return: true if nobody else is inside on this CPU. kng_depth_exit() must
 *	follow either way.
 */
static inline bool kng_depth_enter(union kng_depth *depth, unsigned int level)
{
	u8 entries = READ_ONCE(depth->level[level]);
	u32 word;

	WRITE_ONCE(depth->level[level], entries + 1);
	barrier(); /* the increment is there before the word is read */
	word = le32_to_cpu(READ_ONCE(depth->word));
	barrier(); /* and the verdict before the work that goes by it */
	return word == 1U << 8 * level;
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
	u8 entries;

	barrier(); /* the work is done before the level goes down */
	entries = READ_ONCE(depth->level[level]);
	WRITE_ONCE(depth->level[level], entries - 1);
}

/**
 * kng_depth_is_alone() - ask again what kng_depth_enter() said
 * @depth: the depth given to kng_depth_enter()
 * @level: the level given to kng_depth_enter()
 *
 * Context: As kng_depth_enter(), between that and kng_depth_exit(). Whoever came
 *	meanwhile has left again, so the answer is the same.
 * Return: true if nobody else is inside on this CPU.
 */
static inline bool kng_depth_is_alone(const union kng_depth *depth, unsigned int level)
{
	return le32_to_cpu(READ_ONCE(depth->word)) == 1U << 8 * level;
}

#endif /* KNG_DEPTH_H */
