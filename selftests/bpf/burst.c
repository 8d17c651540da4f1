// SPDX-License-Identifier: GPL-2.0-only
/*
 * One NMI deletes a hash of --dtors references to this task:
 *
 *   burst --dtors 100000
 */
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "common.h"
#include "exercise.h"
#include "burst.skel.h"
#include "verdict.h"
#include "victims.h"

static bool fill_all(struct exercise *ex)
{
	unsigned int first;
	int err;

	for (first = 0; first < ex->opt->dtors; first += KNG_SLOTS_MAX) {
		err = exercise_call(ex->fill, first, victim(0));
		if (err) {
			note("not filled at %u: %s", first, strerror(-err));
			return false;
		}
	}
	return true;
}

static int run(struct exercise *ex)
{
	struct verdict verdict = { .ex = ex };
	bool good;

	victims_init(ex->opt->kptr, false);
	verdict_begin(&verdict);
	good = fill_all(ex);
	tap_ok(good && ex->ctl->created == ex->opt->dtors, "%llu references",
	       ex->ctl->created);
	verdict.references = exercise_call(ex->references, 0, 0) - ex->opt->dtors;
	marker("armed");
	ex->ctl->open = 1;
	nmi_kick(SOURCE_FIRE, NULL);
	victims_exit();
	exercise_close(ex);
	marker("nmis %llu", ex->ctl->nmis);
	tap_ok(ex->ctl->nmis == 1, "one NMI");
	verdict_give(&verdict);
	marker("done");
	return tap_done();
}

int main(int argc, char **argv)
{
	struct options opt = EXERCISE_OPTIONS;
	struct burst_bpf *skel;
	struct exercise ex;

	opt.dtors = 100000;
	options_parse(&opt, argc, argv);
	exercise_begin(&opt);
	skel = burst_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	exercise_conf(&skel->rodata->conf, &opt);
	*(__u32 *)&skel->rodata->entries = opt.dtors;
	bpf_map__set_max_entries(skel->maps.hash, opt.dtors);
	if (!exercise_load(skel->skeleton, "burst"))
		return tap_done();
	ex = exercise_of(skel->skeleton, &skel->bss->ctl, &opt, "burst");
	return run(&ex);
}
