// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "common.h"
#include "exercise.h"

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
