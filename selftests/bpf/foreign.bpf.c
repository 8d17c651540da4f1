// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kptr type of a module (kng_foreign.ko): the last reference is overwritten
 * in an array in NMI, or taken out and released there.
 */
#include "kng.bpf.h"

const volatile __u32 by_release;
const volatile struct kng_conf conf;
struct kng_ctl ctl;

struct kng_foreign { struct refcount_struct refs; } __kernel_type;
typedef struct kng_foreign kptr_foreign;

extern __ksym struct kng_foreign *kng_foreign_create(void);
extern void kng_foreign_release(struct kng_foreign *obj) __ksym;

struct value {
	kptr_foreign __kptr *obj;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, KNG_SLOTS_MAX);
	__type(key, __u32);
	__type(value, struct value);
} slots SEC(".maps");

static int store(__u32 slot, __u64 id)
{
	struct kng_foreign *obj;
	struct value *value;

	value = bpf_map_lookup_elem(&slots, &slot);
	if (!value)
		return -EINVAL;
	obj = kng_foreign_create();
	if (!obj)
		return -ENOMEM;
	count(created, 1);
	obj = bpf_kptr_xchg(&value->obj, obj);
	if (obj) {
		count(replaced, 1);
		kng_foreign_release(obj);
	}
	return 0;
}

static int tear(__u32 slot)
{
	struct value *value, empty = {};
	struct kng_foreign *obj;

	if (!by_release)
		return bpf_map_update_elem(&slots, &slot, &empty, BPF_ANY);
	value = bpf_map_lookup_elem(&slots, &slot);
	obj = value ? bpf_kptr_xchg(&value->obj, NULL) : NULL;
	if (!obj)
		return -ENOENT;
	kng_foreign_release(obj);
	return 0;
}

#include "exercise.bpf.h"
