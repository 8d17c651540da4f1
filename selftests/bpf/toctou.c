// SPDX-License-Identifier: GPL-2.0-only
/*
 * The window between emptying a slot and emptying it again: this CPU stores
 * task kptrs without a pause while all others overwrite the slots in NMI, until
 * enough destructors ran. How many of them ran in NMI? With two others, each
 * also finds slots that the other empties at the same moment.
 *
 *   toctou [--slots N] [--variant plain|mixed] [--dtors N] [--expect-nmi any]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "common.h"
#include "exercise.h"
#include "toctou.skel.h"
#include "verdict.h"

#define FIRST_NMI_CPU 1
#define MAX_CPUS 16

static pid_t children[MAX_CPUS];

/* A child that takes one NMI after the other on its CPU. */
static pid_t nmis_start(unsigned int cpu)
{
	cpu_set_t cpus;
	pid_t pid;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	pid = fork();
	if (pid)
		return pid;
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		_exit(1);
	for (;;)
		if (file_write(DEBUGFS "kng_nmi_fire/fire", "100"))
			_exit(1);
}

/* False: it had ended by itself. */
static bool nmis_stop(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status);
}

/* A good many overwrites, and still no destructor: it is not done in NMI. */
static bool spared(const struct exercise *ex)
{
	return ex->ctl->nmis > 10000 && ex->ctl->created > 1000000 &&
	       !verdict_destroyed(ex);
}

/* With a guard: it has met each of the ways in which a slot is raced for. */
static bool enough(const struct exercise *ex)
{
	return verdict_destroyed(ex) >= ex->opt->dtors &&
	       (!guard_present() || sysconf(_SC_NPROCESSORS_ONLN) < 3 ||
		guard_count("raced"));
}

static bool race(struct exercise *ex)
{
	unsigned int cpus = sysconf(_SC_NPROCESSORS_ONLN), cpu;
	uint64_t end = now_ms() + 10ULL * ex->opt->timeout_ms;
	int err = 0;

	if (cpus <= FIRST_NMI_CPU || cpus > MAX_CPUS)
		die("%u CPUs: 2 to %u are expected", cpus, MAX_CPUS);
	marker("armed");
	ex->ctl->open = 1;
	for (cpu = FIRST_NMI_CPU; cpu < cpus; cpu++) {
		children[cpu] = nmis_start(cpu);
		if (children[cpu] < 0)
			die("fork: %s", strerror(errno));
	}
	while (!err && !enough(ex) && !spared(ex) && now_ms() < end)
		err = exercise_call(ex->fill, 0, getpid());
	for (cpu = FIRST_NMI_CPU; cpu < cpus; cpu++)
		if (!nmis_stop(children[cpu]))
			die("no NMIs on CPU %u: is it online?", cpu);
	ex->ctl->open = 0;
	return !err && verdict_destroyed(ex) >= ex->opt->dtors;
}

static int measure(struct exercise *ex)
{
	struct verdict verdict = { .ex = ex, .racing = true };
	bool good;

	if (exercise_call(ex->fill, 0, getpid()))
		die("the slots cannot be filled");
	exercise_call(ex->sweep, 0, 0);
	verdict.references = exercise_call(ex->references, 0, 0);
	ex->ctl->created = 0;
	ex->ctl->replaced = 0;
	verdict_begin(&verdict);
	good = race(ex);
	if (spared(ex)) {
		tap_skip("toctou", "the kernel does not tear down in NMI");
		return tap_done();
	}
	exercise_call(ex->sweep, 0, 0);
	exercise_close(ex);
	marker("nmis %llu", ex->ctl->nmis);
	tap_ok(good && !ex->ctl->failed, "at least %u destructors ran",
	       ex->opt->dtors);
	verdict_give(&verdict);
	marker("done");
	return tap_done();
}

int main(int argc, char **argv)
{
	struct options opt = EXERCISE_OPTIONS;
	struct exercise ex;
	struct toctou_bpf *skel;

	opt.variant = "plain";
	options_parse(&opt, argc, argv);
	exercise_begin(&opt);
	skel = toctou_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	exercise_conf(&skel->rodata->conf, &opt);
	*(__u32 *)&skel->rodata->special =
		options_variant(&opt, "plain", "mixed");
	if (!exercise_load(skel->skeleton, "toctou"))
		return tap_done();
	ex = exercise_of(skel->skeleton, &skel->bss->ctl, &opt, "toctou");
	return measure(&ex);
}
