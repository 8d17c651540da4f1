/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The watched maps: which maps can own kernel references, and how many.
 */
#ifndef KNG_MAPS_H
#define KNG_MAPS_H

#include <linux/bpf.h>
#include <linux/seq_file.h>

#include "charge.h"

/**
 * kng_maps_add() - charge for a map, if it can own references
 * @map: the map; it can't go away during the call
 *
 * Context: Task, atomic. Never sleeps.
 * Return: true if it is a map that was not charged before.
 */
bool kng_maps_add(const struct bpf_map *map);

/**
 * kng_maps_del() - forget a map
 * @rec: its record, which is about to go; nothing is left in the map. Any other
 *	record, ERR_PTR and NULL, does no harm.
 *
 * Context: Task, atomic. Never sleeps.
 * Return: true if it was charged.
 */
bool kng_maps_del(const struct btf_record *rec);

/**
 * kng_maps_slots() - ask about the slots of the map that has a record
 * @rec: the record
 *
 * Context: Any, nested NMI included, with preemption off. Never sleeps,
 *	allocates or locks.
 * Return: see enum kng_slots.
 */
enum kng_slots kng_maps_slots(const struct btf_record *rec);

/**
 * kng_maps_charged() - sum of all charges
 *
 * Context: Any, nested NMI included.
 * Return: the number of references that maps have room for.
 */
u64 kng_maps_charged(void);

/**
 * kng_maps_bounded() - ask if kng_maps_charged() is a bound
 *
 * Context: Any, nested NMI included.
 * Return: false while a map is charged by the floor, or if one could not be charged.
 */
bool kng_maps_bounded(void);

/**
 * kng_maps_watched() - number of maps that are charged
 *
 * Context: Any.
 * Return: their number.
 */
unsigned int kng_maps_watched(void);

/**
 * kng_maps_unwatched() - number of maps that there was no memory to charge
 *
 * Context: Any.
 * Return: their number since load.
 */
unsigned int kng_maps_unwatched(void);

/**
 * kng_maps_met() - all maps that were seen by some time have their jobs
 * @when: that time, of ktime_get_mono_fast_ns()
 *
 * For the file `maps', which tells how long each had to wait.
 *
 * Context: Task.
 */
void kng_maps_met(u64 when);

/* The debugfs file `maps'. */
extern const struct seq_operations kng_maps_sops;

/**
 * kng_maps_exit() - forget all maps
 *
 * Context: Task; nothing is hooked any more.
 */
void kng_maps_exit(void);

#endif /* KNG_MAPS_H */
