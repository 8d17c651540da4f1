// SPDX-License-Identifier: GPL-2.0-only
/*
 * A scheduler of sched_ext drops the last reference to cgroups while it holds the
 * runqueue. No NMI is in it.
 *
 *   scx [--variant stopping|exit_task] --rounds 32
 *   scx --variant idle		is the scheduler, and drops nothing, until killed
 *
 * That it is still the scheduler in the end is part of the verdict.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "common.h"
#include "exercise.h"
#include "rounds.h"
#include "scx.skel.h"

#define STATE "/sys/kernel/sched_ext/state"

static struct bpf_link *link_of_ops;

static bool enabled(void *unused)
{
	char state[32] = "";
	FILE *file = fopen(STATE, "r");

	if (!file)
		return false;
	if (!fgets(state, sizeof(state), file))
		state[0] = '\0';
	fclose(file);
	return !strcmp(state, "enabled\n");
}

/* Newer versions of libbpf attach with the skeleton. */
static bool schedule_begin(struct scx_bpf *skel)
{
	if (!enabled(NULL))
		link_of_ops = bpf_map__attach_struct_ops(skel->maps.kng_scx);
	return tap_ok(wait_until(enabled, NULL, 10000), "the scheduler is enabled (%s)",
		      link_of_ops ? "attached" : strerror(errno));
}

static void schedule_end(void)
{
	tap_ok(enabled(NULL), "the scheduler is still enabled");
	bpf_link__destroy(link_of_ops);
}

int main(int argc, char **argv)
{
	struct options opt = EXERCISE_OPTIONS;
	struct exercise ex;
	struct scx_bpf *skel;
	bool at_exit, idle;

	opt.variant = "stopping";
	opt.kptr = KNG_CGROUP;
	opt.last = true;
	options_parse(&opt, argc, argv);
	opt.source = SOURCE_BREAK;
	idle = !strcmp(opt.variant, "idle");
	at_exit = !idle && options_variant(&opt, "stopping", "exit_task");
	if (access(STATE, R_OK)) {
		tap_skip("scx", "the kernel has no sched_ext");
		return tap_done();
	}
	exercise_begin(&opt);
	skel = scx_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	exercise_conf(&skel->rodata->conf, &opt);
	*(__u32 *)&skel->rodata->by_release = true;
	*(__u32 *)&skel->rodata->at_exit = at_exit;
	*(__u32 *)&skel->rodata->loader = getpid();
	if (!exercise_load(skel->skeleton, "scx"))
		return tap_done();
	if (!schedule_begin(skel))
		return tap_done();
	if (idle) {
		marker("schedules");
		for (;;)
			pause();
	}
	ex = exercise_of(skel->skeleton, &skel->bss->ctl, &opt, "scx");
	ex.releases = !at_exit;
	ex.last_words = schedule_end;
	return rounds_run(&ex);
}
