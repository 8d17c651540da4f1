// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kptr type of a module (kng_foreign.ko): the last reference is overwritten
 * in an array in NMI, or taken out and released there.
 */
#include "kng.bpf.h"

const volatile struct kng_conf conf;
struct kng_ctl ctl;

struct kng_foreign { struct refcount_struct refs; } __kernel_type;
typedef struct kng_foreign kptr_foreign;

extern __ksym struct kng_foreign *kng_foreign_create(void);
extern void kng_foreign_release(struct kng_foreign *obj) __ksym;

struct value {
	kptr_foreign __kptr *obj;
};

static int release_value(struct value *value)
{
	struct kng_foreign *obj = bpf_kptr_xchg(&value->obj, NULL);

	if (!obj)
		return -ENOENT;
	kng_foreign_release(obj);
	return 0;
}

#include "tear.bpf.h"

static int store(__u32 slot, __u64 id)
{
	struct value *value = value_of(slot);
	struct kng_foreign *obj;

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

#include "exercise.bpf.h"
