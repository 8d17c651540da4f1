/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A slot of the array is torn down by an empty value or, by_release, by the
 * program itself. For that the including file has defined
 *
 *   static int release_value(struct value *value)	take out, release; 0 or -errno
 */
#ifndef KNG_TEAR_BPF_H
#define KNG_TEAR_BPF_H

#include "slots.bpf.h"

const volatile __u32 by_release;

static int tear(__u32 slot)
{
	struct value *value;

	if (!by_release)
		return overwrite(slot);
	value = value_of(slot);
	return value ? release_value(value) : -EINVAL;
}

#endif /* KNG_TEAR_BPF_H */
