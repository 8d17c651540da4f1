// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpf_obj_drop() in NMI of an object that holds a task kptr:
 *
 *   drop [--variant drop|map] --last --source at
 */

#include "common.h"
#include "rounds.h"
#include "drop.skel.h"

int main(int argc, char **argv)
{
	struct options opt = EXERCISE_OPTIONS;
	struct exercise ex;
	struct drop_bpf *skel;

	opt.variant = "drop";
	options_parse(&opt, argc, argv);
	if (opt.kptr != KNG_TASK)
		die("--kptr %s: only tasks", kptr_name(opt.kptr));
	exercise_begin(&opt);
	skel = drop_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	exercise_conf(&skel->rodata->conf, &opt);
	*(__u32 *)&skel->rodata->by_release =
		!options_variant(&opt, "drop", "map");
	if (!exercise_load(skel->skeleton, "drop"))
		return tap_done();
	ex = exercise_of(skel->skeleton, &skel->bss->ctl, &opt, "drop");
	return rounds_run(&ex);
}
