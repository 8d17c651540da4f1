// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "common.h"
#include "exercise.h"
#include "hog.h"
#include "verdict.h"
#include "victims.h"

#define TEST_CPU 0

int exercise_begin(const struct options *opt)
{
	cpu_set_t cpus;

	setvbuf(stdout, NULL, _IOFBF, 4096);
	CPU_ZERO(&cpus);
	CPU_SET(TEST_CPU, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		die("CPU %d: %s", TEST_CPU, strerror(errno));
	nmi_require(opt->source);
	return TEST_CPU;
}

struct kng_conf *exercise_conf(const volatile struct kng_conf *rodata,
			       const struct options *opt)
{
	struct kng_conf *conf = (struct kng_conf *)rodata;

	conf->slots = opt->slots;
	conf->kind = opt->kptr;
	conf->cpu = -1;
	conf->copies = 1;
	return conf;
}

static int program(struct bpf_object *obj, const char *name)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(obj, name);

	if (!prog)
		die("there is no program %s", name);
	return bpf_program__fd(prog);
}

struct exercise exercise_of(struct bpf_object_skeleton *skeleton,
			    struct kng_ctl *ctl, const struct options *opt,
			    const char *name)
{
	struct exercise ex = {
		.opt = opt, .name = name, .skeleton = skeleton, .ctl = ctl,
		.copies = 1,
		.fill = program(*skeleton->obj, "fill"),
		.sweep = program(*skeleton->obj, "sweep"),
		.references = program(*skeleton->obj, "references"),
	};

	return ex;
}

void exercise_close(struct exercise *ex)
{
	static struct kng_ctl last;

	last = *ex->ctl;
	ex->ctl = &last;
	ex->references = dup(ex->references);
	bpf_object__destroy_skeleton(ex->skeleton);
	ex->fill = -1;
	ex->sweep = -1;
}

/* A program that cannot run at all ends the test. */
int exercise_call(int prog, __u32 slot, __u64 id)
{
	struct kng_arg arg = { .slot = slot, .id = id };
	struct bpf_test_run_opts opts = {
		.sz = sizeof(opts), .ctx_in = &arg, .ctx_size_in = sizeof(arg),
	};
	int err;

	err = bpf_prog_test_run_opts(prog, &opts);
	if (err)
		die("a BPF program cannot be run: %s", strerror(-err));
	return (int)opts.retval;
}

static bool refilled(struct exercise *ex)
{
	unsigned int slot;
	int err;

	for (slot = 0; slot < ex->opt->slots; slot++) {
		err = exercise_call(ex->fill, slot, victim(slot));
		if (err) {
			note("slot %u is not filled: %s", slot, strerror(-err));
			return false;
		}
	}
	return true;
}

/* The map's references are the only ones that the objects still have. */
static bool alone(void *arg)
{
	struct exercise *ex = arg;
	unsigned int slot;

	for (slot = 0; slot < ex->opt->slots; slot++)
		if (ex->ctl->state[slot] == KNG_LIVE &&
		    exercise_call(ex->references, slot, 0) != (int)ex->copies)
			return false;
	return true;
}

static bool torn_down(void *arg)
{
	struct exercise *ex = arg;
	volatile struct kng_ctl *ctl = ex->ctl;

	if (ctl->torn == ctl->created || ctl->failed)
		return true;
	if (ex->opt->source == SOURCE_NONE)
		exercise_call(ex->sweep, 0, 0);
	else
		nmi_kick(ex->opt->source, ex->stir);
	return ctl->torn == ctl->created;
}

static bool one_round(struct exercise *ex, unsigned int round)
{
	const struct options *opt = ex->opt;
	bool done;

	victims_make(opt->slots);
	if (!refilled(ex))
		return false;
	if (opt->last) {
		victims_end(opt->timeout_ms);
		if (!wait_until(alone, ex, opt->timeout_ms)) {
			note("round %u: somebody else keeps a reference", round);
			return false;
		}
	}
	if (!round) {
		marker("armed");
		nmi_begin(opt->source, opt->period_us);
	}
	ex->ctl->open = 1;
	done = wait_until(torn_down, ex, opt->timeout_ms);
	ex->ctl->open = 0;
	if (done)
		return !ex->ctl->failed;
	note("round %u: %llu of %llu references torn down in time", round,
	     ex->ctl->torn, ex->ctl->created);
	return false;
}

/* References that the lasting object has besides one fill's in the map. */
static int baseline(struct exercise *ex)
{
	int n;

	if (ex->opt->last || ex->opt->kptr != KNG_TASK)
		return 0;
	n = exercise_call(ex->fill, 0, victim(0));
	if (n)
		die("the first slot cannot be filled: %s", strerror(-n));
	n = exercise_call(ex->references, 0, 0) - ex->copies;
	exercise_call(ex->sweep, 0, 0);
	return n;
}

/* Nothing was torn down, and the kernel said that it is not done in NMI. */
static bool refused(const struct kng_ctl *ctl, __u64 torn_before)
{
	return ctl->failed && ctl->last_error == -EOPNOTSUPP &&
	       ctl->torn == torn_before;
}

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	stopped = 1;
}

int exercise_run(struct exercise *ex)
{
	const struct options *opt = ex->opt;
	struct verdict verdict = { .ex = ex };
	unsigned int round = 0;
	bool good = true;
	__u64 torn;

	verdict_begin(&verdict);
	victims_init(opt->kptr, opt->last);
	verdict.references = baseline(ex);
	torn = ex->ctl->torn;
	signal(SIGTERM, stop);
	if (opt->hog)
		hog_begin();
	while (good && round < opt->rounds && !stopped)
		good = one_round(ex, round++);
	nmi_end(opt->source);
	if (opt->hog)
		hog_end();
	marker("nmis %llu", ex->ctl->nmis);
	victims_exit();
	if (refused(ex->ctl, torn)) {
		tap_skip(ex->name, "the kernel refuses it in NMI");
		return tap_done();
	}
	tap_ok(good, "%u rounds of %u slots were filled and torn down",
	       round, opt->slots);
	exercise_close(ex);
	verdict_give(&verdict);
	marker("done");
	return tap_done();
}
