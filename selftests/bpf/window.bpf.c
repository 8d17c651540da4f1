// SPDX-License-Identifier: GPL-2.0-only
/*
 * A map that is new: the program has it from a map of maps, so it can fill it the
 * moment that it is there, and an NMI tears it down. (Loading the program needs no
 * map with kptrs: the template has gone by then.)
 */
#include "kng.bpf.h"

const volatile struct kng_conf conf;
struct kng_ctl ctl;

#include "value.bpf.h"

/* Else the BTF has only its name, and libbpf wants its size. */
const struct value *known_value;

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KNG_SLOTS_MAX);
	__type(key, __u32);
	__type(value, struct value);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps");

static int store(__u32 slot, __u64 id)
{
	struct value *value;
	__u32 zero = 0;
	void *inner;

	inner = bpf_map_lookup_elem(&outer, &zero);
	if (!inner)
		return -ENOENT;
	value = bpf_map_lookup_elem(inner, &slot);
	return value ? store_value(value, slot, id) : -EINVAL;
}

static int tear(__u32 slot)
{
	struct value empty = {};
	__u32 zero = 0;
	void *inner;

	inner = bpf_map_lookup_elem(&outer, &zero);
	/* It ended; what was in it went with it. */
	if (!inner)
		return 0;
	return bpf_map_update_elem(inner, &slot, &empty, BPF_ANY);
}

#include "exercise.bpf.h"

static long rush_one(__u32 slot, struct kng_arg *arg)
{
	if (ctl.state[slot & (KNG_SLOTS_MAX - 1)] != KNG_EMPTY)
		return 0;
	if (store(slot, arg->id))
		return 1;
	ctl.state[slot & (KNG_SLOTS_MAX - 1)] = KNG_LIVE;
	return 0;
}

/* All slots at once, if there is a map. */
SEC("syscall")
int rush(struct kng_arg *arg)
{
	struct kng_arg rushing = *arg;

	bpf_loop(conf.slots, rush_one, &rushing, 0);
	return 0;
}
