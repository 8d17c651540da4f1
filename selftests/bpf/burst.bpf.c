// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hash of references to one task. A single NMI deletes all its entries.
 */
#include "kng.bpf.h"

const volatile __u32 entries;
const volatile struct kng_conf conf;
struct kng_ctl ctl;

#include "value.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct value);
} hash SEC(".maps");

struct filling {
	__u32 first;
	__u64 id;
	int err;
};

static long fill_one(__u32 i, struct filling *f)
{
	struct value empty = {}, *value;
	__u32 key = f->first + i;

	f->err = bpf_map_update_elem(&hash, &key, &empty, BPF_NOEXIST);
	if (f->err)
		return 1;
	value = bpf_map_lookup_elem(&hash, &key);
	f->err = value ? store_value(value, 0, f->id) : -EINVAL;
	return !!f->err;
}

/* KNG_SLOTS_MAX of them, or what is left. */
SEC("syscall")
int fill(struct kng_arg *arg)
{
	struct filling f = { .first = arg->slot, .id = arg->id };
	__u32 left = entries - f.first;

	bpf_loop(left < KNG_SLOTS_MAX ? left : KNG_SLOTS_MAX, fill_one, &f, 0);
	return f.err;
}

static long delete_one(__u32 key, void *unused)
{
	int err = bpf_map_delete_elem(&hash, &key);

	if (!err) {
		count(torn, 1);
	} else {
		count(failed, 1);
		ctl.last_error = err;
	}
	return 0;
}

SEC(KNG_NMI_SECTION)
int BPF_PROG(on_nmi, KNG_NMI_ARGS)
{
	if (handled && __sync_val_compare_and_swap(&ctl.open, 1, 0) == 1) {
		count(nmis, 1);
		bpf_loop(entries, delete_one, NULL, 0);
	}
	return 0;
}

SEC("syscall")
int sweep(void *ctx)
{
	return 0;
}

#include "references.bpf.h"
