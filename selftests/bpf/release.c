// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpf_kptr_xchg() out of the map and the release kfunc, both in NMI:
 *
 *   release --kptr task|cgroup|cpumask --last --source at
 */
#include "common.h"
#include "rounds.h"
#include "release.skel.h"

int main(int argc, char **argv)
{
	struct options opt = EXERCISE_OPTIONS;
	struct exercise ex;
	struct release_bpf *skel;

	options_parse(&opt, argc, argv);
	if (opt.kptr > KNG_CPUMASK)
		die("--kptr %s: no such path", kptr_name(opt.kptr));
	exercise_begin(&opt);
	skel = release_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	exercise_conf(&skel->rodata->conf, &opt);
	*(__u32 *)&skel->rodata->by_release = true;
	if (!exercise_load(skel->skeleton, "release"))
		return tap_done();
	ex = exercise_of(skel->skeleton, &skel->bss->ctl, &opt, "release");
	ex.releases = true;
	if (opt.kptr == KNG_CGROUP)
		ex.stir = nmi_stir_workers;
	return rounds_run(&ex);
}
