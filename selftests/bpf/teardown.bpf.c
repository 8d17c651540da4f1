// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map values with a kptr of each kind, torn down in NMI by what the map has:
 * deleting the element, or overwriting it with an empty value. The loader
 * sets the map's type and size.
 */
#include "kng.bpf.h"

const volatile struct kng_conf conf;
struct kng_ctl ctl;

#include "value.bpf.h"
#include "slots.bpf.h"

/* A per-CPU map: each CPU's value, or only the one that the NMIs come to. */
static int store_percpu(__u32 slot, __u64 id)
{
	struct value *value;
	__u32 copy, cpu;
	int err = 0;

	for (copy = 0; copy < 64 && copy < conf.copies && !err; copy++) {
		cpu = conf.copies == 1 ? conf.cpu : copy;
		value = bpf_map_lookup_percpu_elem(&slots, &slot, cpu);
		err = value ? store_value(value, slot, id) : -EINVAL;
	}
	return err;
}

static int store(__u32 slot, __u64 id)
{
	struct value empty = {};
	struct value *value;
	int err;

	if (conf.by_delete) {
		err = bpf_map_update_elem(&slots, &slot, &empty, BPF_NOEXIST);
		if (err)
			return err;
	}
	if (conf.per_cpu)
		return store_percpu(slot, id);
	value = value_of(slot);
	return value ? store_value(value, slot, id) : -EINVAL;
}

static int tear(__u32 slot)
{
	if (conf.by_delete)
		return bpf_map_delete_elem(&slots, &slot);
	return overwrite(slot);
}

#include "exercise.bpf.h"
