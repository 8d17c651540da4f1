// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map values with kptrs, torn down in NMI. For each kind of map that can
 * hold them, e.g.
 *
 *   teardown --map array --kptr task --last --source at
 */
#include <string.h>

#include <bpf/libbpf.h>

#include "common.h"
#include "rounds.h"
#include "teardown.skel.h"

struct kind {
	const char *name;
	enum bpf_map_type type;
	__u32 flags;
	bool by_delete;
	bool per_cpu;
	bool one_cpu;		/* its own locks do not stand NMIs elsewhere */
};

static const struct kind kinds[] = {
	{ "array", BPF_MAP_TYPE_ARRAY, 0, false, false, false },
	{ "percpu_array", BPF_MAP_TYPE_PERCPU_ARRAY, 0, false, true, true },
	{ "hash", BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC, true, false, false },
	{ "hash_prealloc", BPF_MAP_TYPE_HASH, 0, true, false, true },
	{ "percpu_hash", BPF_MAP_TYPE_PERCPU_HASH, BPF_F_NO_PREALLOC, true,
	  true, true },
	{ "lru", BPF_MAP_TYPE_LRU_HASH, 0, true, false, true },
	{ "percpu_lru", BPF_MAP_TYPE_LRU_PERCPU_HASH, 0, true, true, true },
	{ "rhash", MAP_TYPE_RHASH, BPF_F_NO_PREALLOC, true, false, true },
};

static const struct kind *kind_of(const struct options *opt)
{
	unsigned int i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].name, opt->map))
			return &kinds[i];
	die("--map %s: no such choice", opt->map);
}

static void configure(struct teardown_bpf *skel, const struct kind *kind,
		      const struct options *opt, int cpu)
{
	struct kng_conf *conf = exercise_conf(&skel->rodata->conf, opt);
	bool lru = strstr(kind->name, "lru");

	conf->cpu = kind->one_cpu ? cpu : -1;
	conf->by_delete = kind->by_delete;
	conf->per_cpu = kind->per_cpu;
	/* A program's update of a per-CPU array reaches its own CPU only. */
	conf->copies = kind->per_cpu && kind->by_delete ?
		       libbpf_num_possible_cpus() : 1;
	bpf_map__set_type(skel->maps.slots, kind->type);
	bpf_map__set_map_flags(skel->maps.slots, kind->flags);
	/* An LRU map evicts long before it is full. */
	bpf_map__set_max_entries(skel->maps.slots,
				 lru ? 8 * KNG_SLOTS_MAX : opt->slots);
}

int main(int argc, char **argv)
{
	struct options opt = EXERCISE_OPTIONS;
	struct exercise ex;
	struct teardown_bpf *skel;
	const struct kind *kind;
	int cpu;

	options_parse(&opt, argc, argv);
	kind = kind_of(&opt);
	if (opt.kptr > KNG_CPUMASK)
		die("--kptr %s: has a program of its own", kptr_name(opt.kptr));
	cpu = exercise_begin(&opt);
	skel = teardown_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	configure(skel, kind, &opt, cpu);
	if (!exercise_load(skel->skeleton, opt.map))
		return tap_done();
	ex = exercise_of(skel->skeleton, &skel->bss->ctl, &opt, opt.map);
	ex.copies = skel->rodata->conf.copies;
	return rounds_run(&ex);
}
