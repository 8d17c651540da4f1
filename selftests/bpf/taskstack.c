// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last reference to a dead task's stack, dropped by bpf_get_task_stack() in NMI:
 *
 *   taskstack --rounds 8 --source at --expect-nmi any|stub
 *
 * A child on CPU 1 ends while an NMI looks at its stack. In the first round it does not,
 * and the reference is not the last: whatever hangs later, it is not the rest of this.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "common.h"
#include "exercise.h"
#include "taskstack.h"
#include "taskstack.skel.h"

#define OTHER_CPU 1
#define CACHED_STACKS 2

static volatile struct taskstack_ctl *ctl;
static const struct options *options;
static __u64 wanted;

static int child(int ready)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(OTHER_CPU, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) || write(ready, "", 1) != 1)
		return 1;
	while (!ctl->held || !ctl->ends)
		;
	return 0;
}

static pid_t child_make(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready))
		die("no pipe: %s", strerror(errno));
	pid = fork();
	if (!pid)
		_exit(child(ready[1]));
	close(ready[1]);
	if (pid < 0 || read(ready[0], &byte, 1) != 1)
		die("the child does not start");
	close(ready[0]);
	return pid;
}

/*
 * Each CPU keeps two stacks of dead tasks for the next fork. With children that end
 * together here there are as many: the next stack that is dropped here is freed.
 */
static void fill_cache(void)
{
	int i, hold[2];
	char byte;

	if (pipe(hold))
		die("no pipe: %s", strerror(errno));
	for (i = 0; i < CACHED_STACKS + 2; i++) {
		if (fork())
			continue;
		close(hold[1]);
		_exit(read(hold[0], &byte, 1));
	}
	close(hold[0]);
	close(hold[1]);
	for (; i > 0; i--)
		wait(NULL);
}

static bool looked(void *unused)
{
	/* First what calls call_rcu() without tasklist_lock. */
	if (ctl->looks < wanted)
		nmi_kick(options->source, nmi_stir_files);
	return ctl->looks >= wanted;
}

/* One look at the stack of a child that ends meanwhile, or afterwards. */
static bool one_round(bool ends)
{
	pid_t pid;
	int status;
	bool done;

	ctl->held = 0;
	ctl->ends = ends;
	pid = child_make();
	ctl->pid = pid;
	fill_cache();
	wanted = ctl->looks + 1;
	ctl->open = 1;
	done = wait_until(looked, NULL, options->timeout_ms);
	ctl->open = 0;
	ctl->ends = 1;
	ctl->held = 1;
	if (waitpid(pid, &status, 0) != pid || status)
		die("the child fails");
	return done;
}

int main(int argc, char **argv)
{
	struct options opt = EXERCISE_OPTIONS;
	struct taskstack_bpf *skel;
	unsigned int round = 0;
	bool good;

	opt.rounds = 8;
	opt.at = "rcu_segcblist_enqueue";
	options_parse(&opt, argc, argv);
	options = &opt;
	exercise_begin(&opt);
	skel = taskstack_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	if (!exercise_load(skel->skeleton, "taskstack"))
		return tap_done();
	ctl = (volatile struct taskstack_ctl *)&skel->bss->ctl;
	nmi_begin(opt.source, opt.period_us);
	good = one_round(false);
	tap_ok(good && !ctl->last && !ctl->failed, "a look at the stack of a living task");
	if (!good || ctl->failed)
		return tap_done();
	marker("armed");
	while (good && round < opt.rounds) {
		good = one_round(true);
		round += good;
	}
	nmi_end(opt.source);
	note("nmis %llu, looks %llu, failed %llu", ctl->nmis, ctl->looks, ctl->failed);
	tap_ok(round == opt.rounds, "%u rounds", round);
	tap_ok(ctl->last >= round / 4, "%llu looks held the last reference", ctl->last);
	if (nmi_late(opt.source) > 0)
		tap_ok(false, "%lld NMIs came late", nmi_late(opt.source));
	taskstack_bpf__destroy(skel);
	marker("done");
	return tap_done();
}
