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
#include <linux/rculist.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include "maps.h"
#include "trace.h"

#define HASH_BITS	10

struct watched {
	struct hlist_node node;
	struct rcu_head rcu;
	const struct btf_record *rec;
	struct kng_charge charge;
	u64 seen;	/* time in ns at which the map was added */
	u64 covered;	/* time in ns at which it had its jobs; 0 until then */
	u32 id;
	u32 max_entries;
	enum bpf_map_type type;
	char name[BPF_OBJ_NAME_LEN];
};

static struct hlist_head table[1 << HASH_BITS];
static DEFINE_RAW_SPINLOCK(maps_lock);

/* Written under maps_lock. */
static u64 charged;
static unsigned int nr_watched, nr_floored, nr_unwatched;

static struct hlist_head *chain_of(const struct btf_record *rec)
{
	return &table[hash_ptr(rec, HASH_BITS)];
}

/* Under RCU or maps_lock. */
static struct watched *find(const struct btf_record *rec)
{
	struct watched *w;

	hlist_for_each_entry_rcu(w, chain_of(rec), node, lockdep_is_held(&maps_lock)) {
		if (w->rec == rec)
			return w;
	}
	return NULL;
}

static struct watched *alloc_watched(const struct bpf_map *map)
{
	struct watched *w = kzalloc(sizeof(*w), GFP_NOWAIT | __GFP_NOWARN);

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

bool kng_maps_add(const struct bpf_map *map)
{
	struct watched *w;
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
		WRITE_ONCE(nr_unwatched, nr_unwatched + 1);
	} else if (!find(map->record)) {
		WRITE_ONCE(charged, charged + w->charge.references);
		WRITE_ONCE(nr_watched, nr_watched + 1);
		WRITE_ONCE(nr_floored, nr_floored + w->charge.floored);
		/* After the charge: see kng_maps_note_covered(). */
		w->seen = ktime_get_mono_fast_ns();
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
	struct watched *w;

	if (!kng_charge_owns(rec))
		return false;
	raw_spin_lock_irqsave(&maps_lock, flags);
	w = find(rec);
	if (w) {
		hlist_del_rcu(&w->node);
		WRITE_ONCE(charged, charged - w->charge.references);
		WRITE_ONCE(nr_watched, nr_watched - 1);
		WRITE_ONCE(nr_floored, nr_floored - w->charge.floored);
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
	struct watched *w;
	enum kng_slots slots;

	rcu_read_lock();
	w = find(rec);
	slots = w ? w->charge.slots : KNG_SLOTS_UNKNOWN;
	rcu_read_unlock();
	return slots;
}

u64 kng_maps_charged(void)
{
	return READ_ONCE(charged);
}

bool kng_maps_bounded(void)
{
	return !READ_ONCE(nr_floored) && !READ_ONCE(nr_unwatched);
}

unsigned int kng_maps_watched(void)
{
	return READ_ONCE(nr_watched);
}

unsigned int kng_maps_unwatched(void)
{
	return READ_ONCE(nr_unwatched);
}

void kng_maps_exit(void)
{
	struct hlist_node *next;
	struct watched *w;
	int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		hlist_for_each_entry_safe(w, next, &table[i], node) {
			hlist_del(&w->node);
			kfree(w);
		}
	}
}

void kng_maps_note_covered(u64 when)
{
	u64 now = ktime_get_mono_fast_ns();
	struct watched *w;
	int i;

	rcu_read_lock();
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		hlist_for_each_entry_rcu(w, &table[i], node) {
			if (!w->covered && w->seen <= when)
				WRITE_ONCE(w->covered, now);
		}
	}
	rcu_read_unlock();
}

/* Only map types that can have kptrs. */
static const char *type_name(enum bpf_map_type type)
{
	switch (type) {
	case BPF_MAP_TYPE_ARRAY:
		return "array";
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		return "percpu_array";
	case BPF_MAP_TYPE_HASH:
		return "hash";
	case BPF_MAP_TYPE_PERCPU_HASH:
		return "percpu_hash";
	case BPF_MAP_TYPE_LRU_HASH:
		return "lru_hash";
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
		return "lru_percpu_hash";
	case BPF_MAP_TYPE_SK_STORAGE:
		return "sk_storage";
	case BPF_MAP_TYPE_INODE_STORAGE:
		return "inode_storage";
	case BPF_MAP_TYPE_TASK_STORAGE:
		return "task_storage";
	case BPF_MAP_TYPE_CGRP_STORAGE:
		return "cgrp_storage";
	default:
		return "other";
	}
}

static void show_map(struct seq_file *m, const struct watched *w)
{
	u64 covered = READ_ONCE(w->covered);
	int i;

	seq_printf(m, "%u %s %s entries %u charge %llu fields", w->id,
		   w->name[0] ? w->name : "-", type_name(w->type), w->max_entries,
		   w->charge.references);
	for (i = 0; i < w->charge.nr_dtors; i++)
		seq_printf(m, "%s%ps", i ? "," : " ", w->charge.dtor[i]);
	if (w->charge.floored)
		seq_printf(m, "%sfloor", w->charge.nr_dtors ? "," : " ");
	else if (!w->charge.nr_dtors)
		seq_puts(m, " -");
	if (covered)
		seq_printf(m, " met_us %llu\n", div_u64(covered - w->seen, 1000));
	else
		seq_puts(m, " waits\n");
}

/* A position is a hash chain, so that no map is shown twice or left out. */
static void *maps_start(struct seq_file *m, loff_t *pos)
	__acquires(RCU)
{
	rcu_read_lock();
	return *pos < ARRAY_SIZE(table) ? &table[*pos] : NULL;
}

static void *maps_next(struct seq_file *m, void *v, loff_t *pos)
{
	return ++*pos < ARRAY_SIZE(table) ? &table[*pos] : NULL;
}

static void maps_stop(struct seq_file *m, void *v)
	__releases(RCU)
{
	rcu_read_unlock();
}

static int maps_show(struct seq_file *m, void *v)
{
	struct watched *w;

	hlist_for_each_entry_rcu(w, (struct hlist_head *)v, node)
		show_map(m, w);
	return 0;
}

const struct seq_operations kng_maps_sops = {
	.start	= maps_start,
	.next	= maps_next,
	.stop	= maps_stop,
	.show	= maps_show,
};
