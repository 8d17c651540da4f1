/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Values with a kptr of a type of kng_foreign.ko. The including file has defined
 * conf and ctl.
 */
#ifndef KNG_FOREIGN_BPF_H
#define KNG_FOREIGN_BPF_H

struct kng_foreign { struct refcount_struct refs; } __kernel_type;
typedef struct kng_foreign kptr_foreign;

extern __ksym struct kng_foreign *kng_foreign_create(void);
extern void kng_foreign_release(struct kng_foreign *obj) __ksym;

struct value {
	kptr_foreign __kptr *obj;
	kptr_foreign __kptr *other;	/* only if each value is to have two */
};

#include "slots.bpf.h"

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
	if (conf.copies < 2)
		return 0;
	obj = kng_foreign_create();
	if (!obj)
		return -ENOMEM;
	count(created, 1);
	obj = bpf_kptr_xchg(&value->other, obj);
	if (obj) {
		count(replaced, 1);
		kng_foreign_release(obj);
	}
	return 0;
}

#endif /* KNG_FOREIGN_BPF_H */
