// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kptrs of a type that a module brings, torn down in NMI. kng_foreign.ko has
 * to be loaded; it counts by itself what its destructor did.
 *
 *   foreign [--variant update|release|both] --source at
 *
 * both: an update of values that have two references each
 */
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "rounds.h"
#include "foreign.skel.h"

int main(int argc, char **argv)
{
	struct options opt = EXERCISE_OPTIONS;
	struct foreign_bpf *skel;
	struct exercise ex;
	bool by_release, both;

	opt.variant = "update";
	options_parse(&opt, argc, argv);
	opt.kptr = KNG_FOREIGN;
	both = !strcmp(opt.variant, "both");
	by_release = !both && options_variant(&opt, "update", "release");
	if (access(FOREIGN "counts", R_OK))
		die("kng_foreign.ko is not loaded");
	exercise_begin(&opt);
	skel = foreign_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	exercise_conf(&skel->rodata->conf, &opt)->copies = both ? 2 : 1;
	*(__u32 *)&skel->rodata->by_release = by_release;
	if (!exercise_load(skel->skeleton, "foreign"))
		return tap_done();
	ex = exercise_of(skel->skeleton, &skel->bss->ctl, &opt, "foreign");
	ex.copies = skel->rodata->conf.copies;
	ex.releases = by_release;
	return rounds_run(&ex);
}
