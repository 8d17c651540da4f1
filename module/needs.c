// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a map needs of the guard: a look at each field of its values.
 */
#include <linux/bpf.h>

#include "entry.h"
#include "hook.h"
#include "learn.h"
#include "needs.h"
#include "params.h"
#include "teardown.h"
#include "types.h"

static unsigned int needs_of_dtor(btf_dtor_kfunc_t dtor, struct module *owner)
{
	if (kng_types_guards(dtor) || kng_types_nmi_safe(dtor))
		return 0;
	/* The kernel's own destructors were tried at load, and another user holds it. */
	if (kng_types_knows(dtor) || !kng_learn_note(dtor, owner))
		return KNG_NEEDS_DOOR;
	return KNG_NEEDS_LEARN;
}

static unsigned int needs_of_field(const struct btf_field *field, bool kernel_cancels)
{
	switch (field->type) {
	case BPF_KPTR_REF:
		if (field->kptr.dtor)
			return needs_of_dtor(field->kptr.dtor, field->kptr.module);
		fallthrough;
	case BPF_KPTR_PERCPU:
	case BPF_LIST_HEAD:
	case BPF_RB_ROOT:
		/* Objects of bpf_obj_new() may own any references. */
		return kernel_cancels || kng_teardown_is_open() ? 0 : KNG_NEEDS_DOOR;
	default:
		return 0;
	}
}

/*
 * Can bpf_kptr_xchg() exchange pointers in such values, or in objects that they own? This
 * includes more than kng_charge_owns(): per-CPU objects own nothing that needs a job, but
 * the exchange of the object itself is counted.
 */
static bool exchangeable(const struct btf_record *rec)
{
	return !IS_ERR_OR_NULL(rec) &&
	       rec->field_mask & (BPF_KPTR_REF | BPF_KPTR_PERCPU | BPF_LIST_HEAD | BPF_RB_ROOT);
}

/*
 * The kernel calls programs of struct_ops as it would call its own functions. A scheduler
 * of sched_ext is called under the runqueue lock, which the last put of a cgroup takes when
 * it wakes a worker. So this is a deadlock without any NMI.
 */
bool kng_needs_awaits_struct_ops(void)
{
	return kng_params.defer == KNG_DEFER_AUTO && kng_hook_uses_ftrace() &&
	       !kng_entry_defers_irqsoff();
}

unsigned int kng_needs(const struct bpf_map *map, bool kernel_cancels)
{
	const struct btf_record *rec = map->record;
	unsigned int needs = 0;
	u32 i;

	if (map->map_type == BPF_MAP_TYPE_STRUCT_OPS && kng_needs_awaits_struct_ops())
		needs |= KNG_NEEDS_IRQSOFF;
	if (exchangeable(rec) || (map->inner_map_meta && exchangeable(map->inner_map_meta->record)))
		needs |= KNG_EXCHANGEABLE;
	for (i = 0; !IS_ERR_OR_NULL(rec) && i < rec->cnt; i++)
		needs |= needs_of_field(&rec->fields[i], kernel_cancels);
	return needs;
}
