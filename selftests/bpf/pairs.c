// SPDX-License-Identifier: GPL-2.0-only
/*
 * 1000 pairs of bpf_task_from_pid() and bpf_task_release() in each of N NMIs:
 *
 *   pairs --kptr task|cgroup --rounds 1000
 *
 * With the guard loaded: none of them took a job.
 */
#include <unistd.h>

#include <bpf/libbpf.h>

#include "common.h"
#include "exercise.h"
#include "pairs.skel.h"
#include "verdict.h"
#include "victims.h"

static int run(struct exercise *ex, int counted)
{
	struct verdict verdict = { .ex = ex, .racing = true };
	long long took;
	unsigned int n;
	int count = 0;

	if (exercise_call(ex->fill, 0, 0))
		die("the object is not found");
	if (ex->opt->kptr == KNG_TASK)
		verdict.references = exercise_call(ex->references, 0, 0);
	ex->ctl->created = 0;
	verdict_begin(&verdict);
	took = guard_count("taken");
	if (ex->opt->kptr == KNG_CGROUP)
		count = exercise_call(counted, 0, 0);
	marker("armed");
	ex->ctl->open = 1;
	for (n = 0; n < ex->opt->rounds; n++)
		nmi_kick(SOURCE_FIRE, NULL);
	ex->ctl->open = 0;
	if (ex->opt->kptr == KNG_CGROUP)
		tap_ok(exercise_call(counted, 0, 0) == count,
		       "the cgroup's own count is as before (%d, now %d)",
		       count, exercise_call(counted, 0, 0));
	victims_exit();
	exercise_close(ex);
	marker("nmis %llu", ex->ctl->nmis);
	tap_ok(ex->ctl->nmis >= ex->opt->rounds &&
	       ex->ctl->created >= 1000ULL * ex->opt->rounds,
	       "%llu pairs in %llu NMIs", ex->ctl->created, ex->ctl->nmis);
	took = guard_count("taken") - took;
	tap_ok(!took, "they took %lld jobs of the guard", took);
	verdict_give(&verdict);
	marker("done");
	return tap_done();
}

int main(int argc, char **argv)
{
	struct options opt = EXERCISE_OPTIONS;
	struct pairs_bpf *skel;
	struct exercise ex;

	opt.rounds = 1000;
	opt.variant = "own";
	options_parse(&opt, argc, argv);
	if (opt.kptr != KNG_TASK && opt.kptr != KNG_CGROUP)
		die("--kptr %s: task or cgroup", kptr_name(opt.kptr));
	exercise_begin(&opt);
	victims_init(opt.kptr, false);
	skel = pairs_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	exercise_conf(&skel->rodata->conf, &opt);
	/* On a machine's only hierarchy the root's id is 1. */
	*(__u64 *)&skel->rodata->id =
		options_variant(&opt, "own", "root") ? 1 : victim(0);
	*(__u32 *)&skel->rodata->cpus = libbpf_num_possible_cpus();
	if (!exercise_load(skel->skeleton, "pairs"))
		return tap_done();
	ex = exercise_of(skel->skeleton, &skel->bss->ctl, &opt, "pairs");
	ex.releases = true;
	return run(&ex, bpf_program__fd(skel->progs.counted));
}
