/* SPDX-License-Identifier: GPL-2.0-only */
/* An array with a value for each slot. The including file has defined struct value. */
#ifndef KNG_SLOTS_BPF_H
#define KNG_SLOTS_BPF_H

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KNG_SLOTS_MAX);
	__type(key, __u32);
	__type(value, struct value);
} slots SEC(".maps");

static struct value *value_of(__u32 slot)
{
	return bpf_map_lookup_elem(&slots, &slot);
}

static int overwrite(__u32 slot)
{
	struct value empty = {};

	return bpf_map_update_elem(&slots, &slot, &empty, BPF_ANY);
}

#endif /* KNG_SLOTS_BPF_H */
