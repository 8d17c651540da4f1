// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads which kfuncs and destructors the running kernel has: vmlinux and each
 * loaded module register theirs with flags, in tables that hang on their BTF.
 * No file shows these tables.
 */
#include "kng.bpf.h"
#include "kfuncs.h"

struct list_head { struct list_head *next; } __kernel_type;

struct btf_id_set8 {
	__u32 cnt;
	struct { __u32 id, flags; } pairs[];
} __kernel_type;

struct btf_kfunc_set_tab { struct btf_id_set8 *sets[1]; } __kernel_type;

struct btf_id_dtor_kfunc { __u32 btf_id, kfunc_btf_id; } __kernel_type;

struct btf_id_dtor_kfunc_tab {
	__u32 cnt;
	struct btf_id_dtor_kfunc dtors[];
} __kernel_type;

struct btf {
	__u32 id;
	struct btf_kfunc_set_tab *kfunc_set_tab;
	struct btf_id_dtor_kfunc_tab *dtor_kfunc_tab;
} __kernel_type;

struct btf_module {
	struct list_head list;
	struct btf *btf;
} __kernel_type;

enum btf_kfunc_hook { BTF_KFUNC_HOOK_MAX = 1 };

extern const void btf_vmlinux __ksym;
extern const void btf_modules __ksym;

struct kng_kfuncs out;

/* What a loop over one table needs. */
struct table {
	__u32 btf;
	__u32 hook;
	__u32 what;
	__u32 nr;
	unsigned long pairs;
	unsigned long sets;
};

static long add_pair(__u32 i, struct table *table)
{
	struct kng_kfunc *to;
	__u32 pair[2];

	if (i >= table->nr)
		return 1;
	if (out.nr >= KNG_KFUNCS_MAX ||
	    bpf_probe_read_kernel(pair, sizeof(pair), (void *)(table->pairs + 8UL * i))) {
		out.lost++;
		return 1;
	}
	to = &out.found[out.nr & (KNG_KFUNCS_MAX - 1)];
	out.nr++;
	to->btf = table->btf;
	to->hook = table->hook;
	to->what = table->what;
	/* A kfunc: {function, flags}; a destructor: {type, function}. */
	to->func = pair[table->what == KNG_IS_DTOR];
	to->flags = pair[table->what != KNG_IS_DTOR];
	return 0;
}

static void add_pairs(struct table *table)
{
	if (table->nr > KNG_SET_MAX)
		out.lost++;
	bpf_loop(KNG_SET_MAX, add_pair, table, 0);
}

static void add_dtors(const struct btf *btf, struct table *table)
{
	struct btf_id_dtor_kfunc_tab *tab = BPF_CORE_READ(btf, dtor_kfunc_tab);

	if (!tab)
		return;
	table->what = KNG_IS_DTOR;
	table->nr = BPF_CORE_READ(tab, cnt);
	table->pairs = (unsigned long)tab +
		       bpf_core_field_offset(struct btf_id_dtor_kfunc_tab, dtors);
	add_pairs(table);
}

/* The verifier takes callbacks better than loops in loops. */
static long add_hook(__u32 hook, struct table *table)
{
	struct btf_id_set8 *set;

	if (hook >= bpf_core_enum_value(enum btf_kfunc_hook, BTF_KFUNC_HOOK_MAX))
		return 1;
	if (bpf_probe_read_kernel(&set, sizeof(set), (void *)(table->sets + 8UL * hook))) {
		out.lost++;
		return 1;
	}
	if (!set)
		return 0;
	table->hook = hook;
	table->nr = BPF_CORE_READ(set, cnt);
	table->pairs = (unsigned long)set + bpf_core_field_offset(struct btf_id_set8, pairs);
	add_pairs(table);
	return 0;
}

static void add_btf(const struct btf *btf)
{
	struct btf_kfunc_set_tab *tab = BPF_CORE_READ(btf, kfunc_set_tab);
	struct table table = { .btf = BPF_CORE_READ(btf, id), .what = KNG_IS_KFUNC };

	table.sets = (unsigned long)tab + bpf_core_field_offset(struct btf_kfunc_set_tab, sets);
	if (tab)
		bpf_loop(KNG_HOOKS_MAX, add_hook, &table, 0);
	add_dtors(btf, &table);
}

static long add_module(__u32 i, const struct list_head **pos)
{
	const struct btf_module *module;

	if (*pos == (const struct list_head *)&btf_modules)
		return 1;
	module = (void *)*pos - bpf_core_field_offset(struct btf_module, list);
	add_btf(BPF_CORE_READ(module, btf));
	*pos = BPF_CORE_READ(*pos, next);
	return 0;
}

SEC("syscall")
int find(void *ctx)
{
	const struct list_head *pos = (const struct list_head *)&btf_modules;
	struct btf *btf;

	out.nr = 0;
	out.lost = 0;
	if (bpf_probe_read_kernel(&btf, sizeof(btf), &btf_vmlinux))
		return -EINVAL;
	add_btf(btf);
	pos = BPF_CORE_READ(pos, next);
	bpf_loop(KNG_MODULES_MAX, add_module, &pos, 0);
	if (pos != (const struct list_head *)&btf_modules ||
	    bpf_core_enum_value(enum btf_kfunc_hook, BTF_KFUNC_HOOK_MAX) > KNG_HOOKS_MAX)
		out.lost++;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
