// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of guarded types.
 */
#include <linux/bits.h>
#include <linux/seq_buf.h>

#include "compat.h"
#include "hook.h"
#include "put.h"
#include "types.h"

/*
 * The release kfunc of bpf_cpumask is not hooked. It frees with
 * bpf_mem_cache_free_rcu(), which NMIs may call, so programs that create and release
 * cpumasks in NMI use no jobs.
 */
struct kng_type kng_types[KNG_NR_TYPES] = {
	[KNG_TYPE_TASK] = {
		.name = "task_struct",
		.hook.function = { "bpf_task_release_dtor", "bpf_task_release" },
		.get = KNG_PUTS_ARE_KNOWN ? kng_get_task : NULL,
	},
#ifdef CONFIG_CGROUPS
	[KNG_TYPE_CGROUP] = {
		.name = "cgroup",
		.hook.function = { "bpf_cgroup_release_dtor", "bpf_cgroup_release" },
		.get = KNG_PUTS_ARE_KNOWN ? kng_get_cgroup : NULL,
	},
#endif
	[KNG_TYPE_CPUMASK] = {
		.name = "bpf_cpumask",
		.hook.function = { "bpf_cpumask_release_dtor" },
		.nmi_safe = true,
	},
	[KNG_TYPE_CRYPTO_CTX] = {
		.name = "bpf_crypto_ctx",
		.hook.function = { "bpf_crypto_ctx_release_dtor", "bpf_crypto_ctx_release" },
	},
#ifdef CONFIG_MEMCG
	[KNG_TYPE_MEM_CGROUP] = {
		.name = "mem_cgroup",
		.hook.function = { NULL, "bpf_put_mem_cgroup" },
		.put = kng_put_mem_cgroup,
		.get = KNG_PUTS_ARE_KNOWN ? kng_get_mem_cgroup : NULL,
	},
#endif
};

DEFINE_MUTEX(kng_types_lock); /* see types.h */

/* An entry without a dtor that is still hooked could not be unhooked: ftrace is dead. */
struct kng_type *kng_types_free_entry(void)
{
	int i;

	for (i = KNG_TYPE_LEARNT; i < KNG_NR_TYPES; i++) {
		if (!kng_types[i].dtor && !kng_types[i].hook.hooked)
			return &kng_types[i];
	}
	return NULL;
}

static const struct kng_type *type_of(btf_dtor_kfunc_t dtor)
{
	int i;

	for (i = 0; i < KNG_NR_TYPES; i++) {
		if (READ_ONCE(kng_types[i].dtor) == dtor)
			return &kng_types[i];
	}
	return NULL;
}

bool kng_types_knows(btf_dtor_kfunc_t dtor)
{
	const struct kng_type *type = type_of(dtor);

	return type && type < &kng_types[KNG_TYPE_LEARNT];
}

bool kng_types_nmi_safe(btf_dtor_kfunc_t dtor)
{
	const struct kng_type *type = type_of(dtor);

	return type && type->nmi_safe;
}

bool kng_types_guards(btf_dtor_kfunc_t dtor)
{
	const struct kng_type *type = type_of(dtor);

	return type && READ_ONCE(type->hook.hooked) & BIT(KNG_DTOR);
}

unsigned long kng_types_missed(void)
{
	unsigned long missed = 0;
	int i;

	for (i = 0; i < KNG_TYPE_LEARNT; i++)
		missed += kng_hook_missed(&kng_types[i].hook);
	return missed;
}

/* Print one line for each module, at the first of its entries. */
static void show_learnt(struct seq_buf *m)
{
	int i, j;

	for (i = KNG_TYPE_LEARNT; i < KNG_NR_TYPES; i++) {
		unsigned int dtors = 0;

		for (j = KNG_TYPE_LEARNT; j < KNG_NR_TYPES; j++) {
			if (!kng_types[j].dtor || kng_types[j].owner != kng_types[i].owner)
				continue;
			if (j < i)
				break;
			dtors++;
		}
		if (!kng_types[i].dtor || j < KNG_NR_TYPES)
			continue;
		if (kng_types[i].owner)
			seq_buf_printf(m, "door_release_of_module_%s: %u destructor%s\n",
				       kng_types[i].name, dtors, dtors > 1 ? "s" : "");
		else
			seq_buf_printf(m, "door_release_of_later_types: %u destructor%s\n",
				       dtors, dtors > 1 ? "s" : "");
	}
}

/* What the release door has of a type, by the bits of hook.hooked. */
static const char * const hooked_names[] = {
	"none", "destructor", "release", "destructor and release"
};

void kng_types_show(struct seq_buf *m)
{
	int i;

	for (i = 0; i < KNG_TYPE_LEARNT; i++)
		seq_buf_printf(m, "door_release_%s: %s\n", kng_types[i].name,
			       kng_types[i].dtor ? hooked_names[kng_types[i].hook.hooked] :
			       "no such type");
	mutex_lock(&kng_types_lock);
	show_learnt(m);
	mutex_unlock(&kng_types_lock);
}

void kng_types_show_missing(struct seq_buf *m)
{
	int i, j;

	for (i = 0; i < KNG_TYPE_LEARNT; i++) {
		const struct kng_type *type = &kng_types[i];
		unsigned int wanted = 0;

		for (j = 0; j < KNG_HOOK_FUNCTIONS; j++)
			wanted |= type->hook.function[j] ? BIT(j) : 0;
		if (type->dtor && !type->nmi_safe && type->hook.hooked != wanted)
			seq_buf_printf(m, ", door_release_%s=%s", type->name,
				       hooked_names[type->hook.hooked]);
	}
}
