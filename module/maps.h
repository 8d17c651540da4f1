/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The watched maps: all maps that can own kernel references, with their charges.
 */
#ifndef KNG_MAPS_H
#define KNG_MAPS_H

#include <linux/bpf.h>
#include <linux/rculist.h>

#include "charge.h"

/**
 * struct kng_map - a watched map
 * @node: link in its hash chain
 * @waiting: link in the list of maps whose jobs are not there yet
 * @rcu: to free it
 * @rec: the map's record
 * @charge: its charge
 * @seen: time in ns at which the map was added
 * @covered: time in ns at which it had its jobs; 0 until then
 * @id: the map's id
 * @max_entries: of the map
 * @type: of the map
 * @name: of the map
 */
struct kng_map {
	struct hlist_node node;
	struct list_head waiting;
	struct rcu_head rcu;
	const struct btf_record *rec;
	struct kng_charge charge;
	u64 seen;
	u64 covered;
	u32 id;
	u32 max_entries;
	enum bpf_map_type type;
	char name[BPF_OBJ_NAME_LEN];
};

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
 * Return: the number of references that the watched maps have room for, plus the sum
 *	of their floors, limited to kng_maps_floor_limit().
 */
u64 kng_maps_charged(void);

/**
 * kng_maps_floors() - sum of all floors
 *
 * Context: Any.
 * Return: the sum, without the limit.
 */
u64 kng_maps_floors(void);

/**
 * kng_maps_floor_limit() - limit for the sum of all floors
 *
 * A map costs nothing, so without a limit anyone who makes small maps with a floor
 * could use up all jobs.
 *
 * Context: Any.
 * Return: a quarter of max_jobs, but not less than one floor.
 */
u64 kng_maps_floor_limit(void);

/**
 * kng_maps_floored() - number of watched maps with a floor
 *
 * Context: Any.
 * Return: the number.
 */
unsigned int kng_maps_floored(void);

/**
 * kng_maps_find() - find the map that satisfies a condition best
 * @value: returns how well a map does; 0: not at all
 * @found: a copy of the map is stored here
 *
 * Context: Task, may not sleep.
 * Return: false if no map does.
 */
bool kng_maps_find(u64 (*value)(const struct kng_map *map), struct kng_map *found);

/**
 * kng_maps_chain() - a hash chain of watched maps
 * @pos: its number
 *
 * Context: Any; the chain is walked under RCU.
 * Return: the chain; NULL if there are fewer.
 */
struct hlist_head *kng_maps_chain(unsigned long long pos);

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
 * kng_maps_note_covered() - note that all maps added by some time have their jobs
 * @when: that time, of ktime_get_mono_fast_ns()
 *
 * The file `maps' shows how long each map waited for its jobs. kng_maps_add()
 * takes a map's time after it has added the charge. So whoever reads the time @when
 * first and then the charges has read the charges of all maps added before @when.
 *
 * Context: Task, may sleep.
 */
void kng_maps_note_covered(u64 when);

/**
 * kng_maps_note_some_covered() - kng_maps_note_covered(), for a few maps
 * @when: as for kng_maps_note_covered()
 *
 * Context: Task, atomic. Never sleeps.
 * Return: true if some are left to note.
 */
bool kng_maps_note_some_covered(u64 when);

/**
 * kng_maps_exit() - stop watching all maps
 *
 * Context: Task; nothing is hooked any more.
 */
void kng_maps_exit(void);

#endif /* KNG_MAPS_H */
