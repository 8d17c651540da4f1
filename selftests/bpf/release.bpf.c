// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program takes the reference out of the map and releases it itself, in
 * NMI. Every kernel accepts this, and none has a defence of its own.
 */
#include "kng.bpf.h"

const volatile struct kng_conf conf;
struct kng_ctl ctl;

#include "value.bpf.h"
#include "release.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KNG_SLOTS_MAX);
	__type(key, __u32);
	__type(value, struct value);
} slots SEC(".maps");

static int store(__u32 slot, __u64 id)
{
	struct value *value = bpf_map_lookup_elem(&slots, &slot);

	return value ? store_value(value, slot, id) : -EINVAL;
}

static int tear(__u32 slot)
{
	struct value *value = bpf_map_lookup_elem(&slots, &slot);

	return value ? release_value(value) : -EINVAL;
}

#include "exercise.bpf.h"
