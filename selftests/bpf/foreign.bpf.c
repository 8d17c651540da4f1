// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kptr type of a module (kng_foreign.ko): the last reference is overwritten
 * in an array in NMI, or taken out and released there.
 */
#include "kng.bpf.h"

const volatile struct kng_conf conf;
struct kng_ctl ctl;

#include "foreign.bpf.h"

static int release_value(struct value *value)
{
	struct kng_foreign *obj = bpf_kptr_xchg(&value->obj, NULL);

	if (!obj)
		return -ENOENT;
	kng_foreign_release(obj);
	return 0;
}

#include "tear.bpf.h"

#include "exercise.bpf.h"
