// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a map is charged: the number of references that it has room for.
 *
 * Slots times fields with a destructor, times possible CPUs if values are per
 * CPU. Hashes hold a few elements more than max_entries, at most one for each CPU.
 * What a map owns by way of objects of bpf_obj_new(), and local storage, whose
 * slots have no number, is charged by the floor.
 */
#include <linux/bpf.h>

#include "charge.h"

/*
 * What may own objects of bpf_obj_new(), beside kptrs to them. (Per-CPU objects
 * have no kptrs, says the verifier.)
 */
#define OBJECT_FIELDS	(BPF_LIST_HEAD | BPF_RB_ROOT)
/* What needs no freeing. */
#define INERT_FIELDS	(BPF_SPIN_LOCK | BPF_KPTR_UNREF | BPF_REFCOUNT)

unsigned int kng_charge_floor;

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

/* May objects with references hang on the field? */
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

static void look(struct kng_charge *c, const struct bpf_map *map)
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
	look(c, map);
	c->references = (u64)map->max_entries * c->nr_dtors;
	if (!is_array(map) && map->max_entries)
		c->references += (u64)num_possible_cpus() * c->nr_dtors;
	if (is_percpu(map))
		c->references *= num_possible_cpus();
	if (c->floored)
		c->references += kng_charge_floor;
}
