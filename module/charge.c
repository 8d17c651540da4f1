// SPDX-License-Identifier: GPL-2.0-only
/*
 * The charge of a map: the number of references that it has room for.
 *
 * That is slots times fields with a destructor, times possible CPUs if each CPU has
 * its own values. A hash can hold up to one element per CPU more than max_entries.
 * Two things have no number of slots: local storage, and the objects of
 * bpf_obj_new() that a map owns. They are charged a fixed number of references, the
 * floor. (maps.c limits the sum of all floors.)
 */
#include <linux/bpf.h>

#include "charge.h"
#include "params.h"

/*
 * Fields, other than kptrs, that can own objects of bpf_obj_new(). Per-CPU objects
 * don't count: the verifier allows no kptrs in them.
 */
#define OBJECT_FIELDS	(BPF_LIST_HEAD | BPF_RB_ROOT)
/* Fields that bpf_obj_free_fields() does not free. */
#define INERT_FIELDS	(BPF_SPIN_LOCK | BPF_KPTR_UNREF | BPF_REFCOUNT)

bool kng_charge_owns(const struct btf_record *rec)
{
	return !IS_ERR_OR_NULL(rec) && rec->field_mask & (BPF_KPTR_REF | OBJECT_FIELDS);
}

static bool is_percpu(const struct bpf_map *map)
{
	return map->map_type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       map->map_type == BPF_MAP_TYPE_PERCPU_HASH ||
	       map->map_type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static bool is_array(const struct bpf_map *map)
{
	return map->map_type == BPF_MAP_TYPE_ARRAY ||
	       map->map_type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

/* Can the field own objects that own references? */
static bool owns_objects(const struct btf_field *field)
{
	switch (field->type) {
	case BPF_KPTR_REF:
		return !field->kptr.dtor;
	case BPF_LIST_HEAD:
	case BPF_RB_ROOT:
		return kng_charge_owns(field->graph_root.value_rec);
	default:
		return false;
	}
}

static void inspect_record(struct kng_charge *c, const struct bpf_map *map)
{
	const struct btf_record *rec = map->record;
	bool objects = false;
	u32 i;

	for (i = 0; i < rec->cnt; i++) {
		const struct btf_field *field = &rec->fields[i];

		objects |= owns_objects(field);
		if (field->type == BPF_KPTR_REF && field->kptr.dtor &&
		    c->nr_dtors < KNG_CHARGE_DTORS)
			c->dtor[c->nr_dtors++] = field->kptr.dtor;
	}
	c->floored = objects || (!map->max_entries && c->nr_dtors);
	c->slots = KNG_SLOTS_GO;
	if (is_array(map) && !objects &&
	    !(rec->field_mask & ~(BPF_KPTR_REF | INERT_FIELDS)))
		c->slots = KNG_SLOTS_STAY;
}

void kng_charge(struct kng_charge *c, const struct bpf_map *map)
{
	memset(c, 0, sizeof(*c));
	inspect_record(c, map);
	c->references = (u64)map->max_entries * c->nr_dtors;
	if (!is_array(map) && map->max_entries)
		c->references += (u64)num_possible_cpus() * c->nr_dtors;
	if (is_percpu(map))
		c->references *= num_possible_cpus();
	if (c->floored)
		c->floor = kng_params.floor;
}
