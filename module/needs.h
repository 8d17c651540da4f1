/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a map needs of the guard.
 */
#ifndef KNG_NEEDS_H
#define KNG_NEEDS_H

#include <linux/bpf.h>

/**
 * enum kng_needs - what a map needs of the guard; bits
 * @KNG_NEEDS_DOOR: the open teardown door
 * @KNG_NEEDS_LEARN: kng_learn_noted(), for a destructor that was noted
 * @KNG_NEEDS_IRQSOFF: calls with interrupts off have to be deferred, too
 * @KNG_EXCHANGEABLE: nothing, but bpf_kptr_xchg() can exchange pointers in its values, in
 *	objects that they own, or in maps that it holds
 */
enum kng_needs {
	KNG_NEEDS_DOOR		= 1 << 0,
	KNG_NEEDS_LEARN		= 1 << 1,
	KNG_NEEDS_IRQSOFF	= 1 << 2,
	KNG_EXCHANGEABLE	= 1 << 3,
};

/**
 * kng_needs() - find out what a map needs
 * @map: the map
 * @kernel_cancels: the kernel seems to free no kptrs of maps in NMI
 *
 * Notes destructors that the release door does not know (learn.h).
 *
 * Context: Any but NMI. Does not sleep.
 * Return: bits of enum kng_needs.
 */
unsigned int kng_needs(const struct bpf_map *map, bool kernel_cancels);

/**
 * kng_needs_awaits_struct_ops() - ask whether a map of struct_ops would need anything
 *
 * Context: Any.
 * Return: true with defer=auto, until calls with interrupts off are deferred.
 */
bool kng_needs_awaits_struct_ops(void);

#endif /* KNG_NEEDS_H */
