/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The charge of a map: the number of references that it has room for.
 */
#ifndef KNG_CHARGE_H
#define KNG_CHARGE_H

#include <linux/bpf.h>

/* Maximum number of fields in a record. */
#define KNG_CHARGE_DTORS	BTF_FIELDS_MAX

/**
 * enum kng_slots - what happens to a map's slot when its value is torn down
 * @KNG_SLOTS_UNKNOWN: no watched map has this record
 * @KNG_SLOTS_GO: the slot is freed, or the value has other fields to be freed
 * @KNG_SLOTS_STAY: the slot stays in use, and the value owns only references
 */
enum kng_slots {
	KNG_SLOTS_UNKNOWN,
	KNG_SLOTS_GO,
	KNG_SLOTS_STAY,
};

/**
 * struct kng_charge - the charge of a map, and where it comes from
 * @references: the charge, without the floor
 * @floor: the floor, or 0
 * @slots: what happens to the map's slots
 * @floored: the map has local storage or objects, so the charge is not an upper bound
 * @nr_dtors: number of fields with a destructor
 * @dtor: their destructors
 */
struct kng_charge {
	u64 references;
	unsigned int floor;
	enum kng_slots slots;
	bool floored;
	u8 nr_dtors;
	btf_dtor_kfunc_t dtor[KNG_CHARGE_DTORS];
};

/**
 * kng_charge_owns() - ask whether values with a record can own references
 * @rec: the record; may be NULL or an ERR_PTR
 *
 * Context: Any.
 * Return: true if they can.
 */
bool kng_charge_owns(const struct btf_record *rec);

/**
 * kng_charge() - compute the charge of a map
 * @c: where to store it
 * @map: a map for whose record kng_charge_owns() is true
 *
 * Context: Any.
 */
void kng_charge(struct kng_charge *c, const struct bpf_map *map);

#endif /* KNG_CHARGE_H */
