/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The watched maps: all maps that can own kernel references, with their charges.
 */
#ifndef KNG_MAPS_H
#define KNG_MAPS_H

#include <linux/bpf.h>
#include <linux/seq_file.h>

#include "charge.h"

/**
 * kng_maps_add() - watch and charge a map, if it can own references
 * @map: the map; the caller holds it
 *
 * Context: Task, atomic. Never sleeps.
 * Return: true if the map was not watched before.
 */
bool kng_maps_add(const struct bpf_map *map);

/**
 * kng_maps_del() - stop watching a map
 * @rec: the map's record, which is about to be freed; the map is empty. Records of
 *	other maps, NULL and ERR_PTRs are ignored.
 *
 * Context: Task, atomic. Never sleeps.
 * Return: true if the map was watched.
 */
bool kng_maps_del(const struct btf_record *rec);

/**
 * kng_maps_slots() - ask what happens to the slots of a map
 * @rec: the map's record
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
 * Return: the number of references that the watched maps have room for.
 */
u64 kng_maps_charged(void);

/**
 * kng_maps_bounded() - ask whether kng_maps_charged() is an upper bound
 *
 * Context: Any, nested NMI included.
 * Return: false if a charge includes the floor, or if a map is not watched for want
 *	of memory.
 */
bool kng_maps_bounded(void);

/**
 * kng_maps_watched() - number of watched maps
 *
 * Context: Any.
 * Return: the number.
 */
unsigned int kng_maps_watched(void);

/**
 * kng_maps_unwatched() - number of maps that are not watched for want of memory
 *
 * Context: Any.
 * Return: the number since load.
 */
unsigned int kng_maps_unwatched(void);

/**
 * kng_maps_note_covered() - note that all maps added by some time have their jobs
 * @when: that time, of ktime_get_mono_fast_ns()
 *
 * The file `maps' shows how long each map waited for its jobs. kng_maps_add()
 * takes a map's time after it has added the charge. So whoever reads the time @when
 * first and then the charges has read the charges of all maps added before @when.
 *
 * Context: Task.
 */
void kng_maps_note_covered(u64 when);

/* Contents of the debugfs file `maps'. */
extern const struct seq_operations kng_maps_sops;

/**
 * kng_maps_exit() - stop watching all maps
 *
 * Context: Task; nothing is hooked any more.
 */
void kng_maps_exit(void);

#endif /* KNG_MAPS_H */
