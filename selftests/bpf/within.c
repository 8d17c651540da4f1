// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to slots while the guard is at work on them, in NMI:
 *
 *   within --variant nested|raced --source fire
 */
#include "common.h"
#include "rounds.h"
#include "within.skel.h"

int main(int argc, char **argv)
{
	struct options opt = EXERCISE_OPTIONS;
	struct exercise ex;
	struct within_bpf *skel;

	opt.kptr = KNG_FOREIGN;
	opt.variant = "nested";
	options_parse(&opt, argc, argv);
	if (opt.rounds * opt.slots > KNG_SLOTS_MAX)
		die("--rounds %u, --slots %u: at most %d in all", opt.rounds,
		    opt.slots, KNG_SLOTS_MAX);
	exercise_begin(&opt);
	skel = within_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	exercise_conf(&skel->rodata->conf, &opt);
	*(__u32 *)&skel->rodata->races = options_variant(&opt, "nested", "raced");
	if (!exercise_load(skel->skeleton, "within"))
		return tap_done();
	ex = exercise_of(skel->skeleton, &skel->bss->ctl, &opt, "within");
	ex.within = &skel->bss->within;
	return rounds_run(&ex);
}
