// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watched maps: all maps that can own kernel references, with their charges.
 *
 * The key is the map's record. Each map has a record of its own, which lives as long
 * as the map, and the teardown door knows nothing but the record. (The map's id does
 * not serve: it is 0 by the time the map is freed.)
 *
 * Which operations can run at the same time:
 *
 *			add	del	find
 *	add		 L	 L	 -
 *	del		 L	 L	 -
 *	find		 -	 -	 -
 *
 * L: maps_lock, a raw lock that is taken with interrupts off and never in NMI.
 * find runs under RCU, in NMI too. It ends because each hash chain is finite.
 */
#include <linux/bpf.h>
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include "maps.h"
#include "params.h"
#include "trace.h"
#include "unwatched.h"

#define HASH_BITS	10

static struct hlist_head table[1 << HASH_BITS];
static DEFINE_RAW_SPINLOCK(maps_lock);

/* Maps whose jobs are not there yet, oldest first. Under maps_lock. */
static LIST_HEAD(uncovered);

/* Written under maps_lock. */
static u64 charged, floors;
static unsigned int nr_watched, nr_floored;

static struct hlist_head *chain_of(const struct btf_record *rec)
{
	return &table[hash_ptr(rec, HASH_BITS)];
}

/* Under RCU or maps_lock. */
static struct kng_map *find(const struct btf_record *rec)
{
	struct kng_map *w;

	hlist_for_each_entry_rcu(w, chain_of(rec), node, lockdep_is_held(&maps_lock)) {
		if (w->rec == rec)
			return w;
	}
	return NULL;
}

static struct kng_map *alloc_watched(const struct bpf_map *map)
{
	struct kng_map *w = kzalloc(sizeof(*w), GFP_NOWAIT | __GFP_NOWARN);

	if (!w)
		return NULL;
	w->rec = map->record;
	w->id = map->id;
	w->type = map->map_type;
	w->max_entries = map->max_entries;
	strscpy(w->name, map->name, sizeof(w->name));
	kng_charge(&w->charge, map);
	return w;
}

/* Under maps_lock. @sign: 1 or -1 */
static void account(const struct kng_map *w, int sign)
{
	WRITE_ONCE(charged, charged + sign * w->charge.references);
	WRITE_ONCE(floors, floors + sign * (u64)w->charge.floor);
	WRITE_ONCE(nr_watched, nr_watched + sign);
	WRITE_ONCE(nr_floored, nr_floored + sign * w->charge.floored);
}

bool kng_maps_add(const struct bpf_map *map)
{
	struct kng_map *w;
	unsigned long flags;
	u32 known;

	if (!kng_charge_owns(map->record))
		return false;
	rcu_read_lock();
	w = find(map->record);
	known = w ? w->id : 0;
	rcu_read_unlock();
	if (known == map->id)
		return false;
	/* The end of a map was missed, and a new record reuses its record's memory. */
	if (known)
		kng_maps_del(map->record);

	w = alloc_watched(map);
	raw_spin_lock_irqsave(&maps_lock, flags);
	if (!w) {
		kng_unwatched_add(map->record);
	} else if (!find(map->record)) {
		kng_unwatched_del(map->record);
		account(w, 1);
		/* After the charge: see kng_maps_note_covered(). */
		w->seen = ktime_get_mono_fast_ns();
		list_add_tail(&w->waiting, &uncovered);
		hlist_add_head_rcu(&w->node, chain_of(w->rec));
		raw_spin_unlock_irqrestore(&maps_lock, flags);
		trace_map_seen(map->id, w->charge.references);
		return true;
	}
	raw_spin_unlock_irqrestore(&maps_lock, flags);
	kfree(w);
	return false;
}

bool kng_maps_del(const struct btf_record *rec)
{
	unsigned long flags;
	struct kng_map *w;

	if (!kng_charge_owns(rec))
		return false;
	raw_spin_lock_irqsave(&maps_lock, flags);
	w = find(rec);
	if (w) {
		hlist_del_rcu(&w->node);
		list_del_init(&w->waiting);
		account(w, -1);
	} else {
		kng_unwatched_del(rec);
	}
	raw_spin_unlock_irqrestore(&maps_lock, flags);
	if (w) {
		trace_map_gone(w->id, w->charge.references);
		kfree_rcu(w, rcu);
	}
	return w;
}

enum kng_slots kng_maps_slots(const struct btf_record *rec)
{
	struct kng_map *w;
	enum kng_slots slots;

	rcu_read_lock();
	w = find(rec);
	slots = w ? w->charge.slots : KNG_SLOTS_UNKNOWN;
	rcu_read_unlock();
	return slots;
}

u64 kng_maps_floor_limit(void)
{
	return max(kng_params.max_jobs / 4, kng_params.floor);
}

u64 kng_maps_charged(void)
{
	return READ_ONCE(charged) + min(READ_ONCE(floors), kng_maps_floor_limit());
}

u64 kng_maps_floors(void)
{
	return READ_ONCE(floors);
}

unsigned int kng_maps_floored(void)
{
	return READ_ONCE(nr_floored);
}

bool kng_maps_bounded(void)
{
	return !READ_ONCE(nr_floored) && !kng_unwatched();
}

unsigned int kng_maps_watched(void)
{
	return READ_ONCE(nr_watched);
}

struct hlist_head *kng_maps_chain(unsigned long long pos)
{
	return pos < ARRAY_SIZE(table) ? &table[pos] : NULL;
}

bool kng_maps_find(u64 (*value)(const struct kng_map *map), struct kng_map *found)
{
	const struct kng_map *w;
	u64 best = 0;
	int i;

	rcu_read_lock();
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		hlist_for_each_entry_rcu(w, &table[i], node) {
			if (value(w) <= best)
				continue;
			best = value(w);
			*found = *w;
		}
	}
	rcu_read_unlock();
	return best;
}

void kng_maps_exit(void)
{
	struct hlist_node *next;
	struct kng_map *w;
	int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		hlist_for_each_entry_safe(w, next, &table[i], node) {
			hlist_del(&w->node);
			kfree(w);
		}
	}
}

/* Maps that are marked without letting interrupts in. */
#define COVER_STEP	64

bool kng_maps_note_some_covered(u64 when)
{
	u64 now = ktime_get_mono_fast_ns();
	struct kng_map *w, *next;
	unsigned int nr = 0;
	unsigned long flags;

	raw_spin_lock_irqsave(&maps_lock, flags);
	list_for_each_entry_safe(w, next, &uncovered, waiting) {
		if (w->seen > when || nr++ == COVER_STEP)
			break;
		WRITE_ONCE(w->covered, now);
		list_del_init(&w->waiting);
	}
	raw_spin_unlock_irqrestore(&maps_lock, flags);
	return nr > COVER_STEP;
}

void kng_maps_note_covered(u64 when)
{
	while (kng_maps_note_some_covered(when))
		cond_resched();
}
