/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a map is charged: the number of references that it has room for.
 */
#ifndef KNG_CHARGE_H
#define KNG_CHARGE_H

#include <linux/bpf.h>

/* As many as a record has fields. */
#define KNG_CHARGE_DTORS	BTF_FIELDS_MAX

#define KNG_FLOOR_DEFAULT	1024
#define KNG_FLOOR_MAX		1048576

/**
 * enum kng_slots - what becomes of a map's slot when its value is torn down
 * @KNG_SLOTS_UNKNOWN: no watched map has this record
 * @KNG_SLOTS_GO: it goes, or something else in it has to be freed
 * @KNG_SLOTS_STAY: it stays, and nothing but references is in it
 */
enum kng_slots {
	KNG_SLOTS_UNKNOWN,
	KNG_SLOTS_GO,
	KNG_SLOTS_STAY,
};

/**
 * struct kng_charge - what a map is charged, and why
 * @references: the charge
 * @slots: what becomes of its slots
 * @floored: the floor is part of the charge, which is no bound then
 * @nr_dtors: fields that have a destructor
 * @dtor: which
 */
struct kng_charge {
	u64 references;
	enum kng_slots slots;
	bool floored;
	u8 nr_dtors;
	btf_dtor_kfunc_t dtor[KNG_CHARGE_DTORS];
};

/* Charge for what has no number of slots; set before anything is charged. */
extern unsigned int kng_charge_floor;

/**
 * kng_charge_owns() - ask if a value with a record can own references
 * @rec: a record, ERR_PTR and NULL included
 *
 * Context: Any.
 * Return: true if it can.
 */
bool kng_charge_owns(const struct btf_record *rec);

/**
 * kng_charge() - work out what a map is charged
 * @c: the answer
 * @map: a map whose record kng_charge_owns()
 *
 * Context: Any.
 */
void kng_charge(struct kng_charge *c, const struct bpf_map *map);

#endif /* KNG_CHARGE_H */
