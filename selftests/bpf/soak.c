// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random operations on all map types from task, softirq, hardirq and NMI context
 * of all CPUs, until the guard has taken so many references or time is up:
 *
 *   soak --seed N [--taken N] [--seconds N] [--last] [--memory] [--expect-nmi some|stub]
 *
 * With --memory, what the kernel needs before and after is compared, too. With
 * --last, tasks and cgroups end while maps hold references to them; what a
 * destructor then does in NMI can hang a kernel that has no guard. --variant
 * passed counts what was not a last reference, too. --irqsoff is for a guard with
 * defer=irqsoff and a witness with irqsoff=Y: the kernel's sched_switch, where
 * interrupts are off, takes the place of hardirqs, whose calls the witness could
 * not tell from the guard's own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "common.h"
#include "exercise.h"
#include "soak_memory.h"
#include "soak_verdict.h"
#include "soak_world.h"
#include "soak.skel.h"

#define BEAT_MS 20
#define NOTE_MS 3000	/* silence makes scripts/vm look for a hang */
#define REHEARSAL_S 3
#define PLANTED 32

static struct soak_bpf *skel;
static struct soak_ctl *ctl;
static unsigned int cpus;
static pid_t workers[SOAK_CPUS];
static int stir_prog;		/* outlives the rest */

/* splitmix64, as in the programs; for what the loader does. */
static __u64 draw(__u64 *state)
{
	__u64 z = *state += SOAK_STEP;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static void seed_lanes(__u64 seed)
{
	unsigned int cpu, context;

	for (cpu = 0; cpu < SOAK_CPUS; cpu++)
		for (context = 0; context < SOAK_LANES; context++)
			ctl->lane[cpu][context].state = draw(&seed);
}

/* A new hash for a CPU: what is in the old one goes with it. */
static void hash_new(struct bpf_map *outer, struct bpf_map *model, __u32 cpu)
{
	struct bpf_map_create_opts opts = {
		.sz = sizeof(opts),
		.btf_fd = bpf_object__btf_fd(skel->obj),
		.btf_key_type_id = bpf_map__btf_key_type_id(model),
		.btf_value_type_id = bpf_map__btf_value_type_id(model),
		.map_flags = bpf_map__map_flags(model),
	};
	int fd = bpf_map_create(bpf_map__type(model), "soak",
				bpf_map__key_size(model),
				bpf_map__value_size(model),
				bpf_map__max_entries(model), &opts);

	if (fd < 0)
		die("a hash cannot be made: %s", strerror(-fd));
	if (bpf_map_update_elem(bpf_map__fd(outer), &cpu, &fd, BPF_ANY))
		die("the hash of CPU %u cannot be replaced: %s", cpu,
		    strerror(errno));
	close(fd);
}

static void hashes_new(__u32 cpu, unsigned int which)
{
	if (which & 1)
		hash_new(skel->maps.hash, skel->maps.hash_inner, cpu);
	if (which & 2)
		hash_new(skel->maps.hash_prealloc,
			 skel->maps.hash_prealloc_inner, cpu);
	if (which & 4)
		hash_new(skel->maps.percpu_hash, skel->maps.percpu_hash_inner,
			 cpu);
}

static void hashes_new_all(void)
{
	unsigned int cpu;

	for (cpu = 0; cpu < cpus; cpu++)
		hashes_new(cpu, 7);
}

/* With objects of bpf_obj_new(), if the verifier lets tracing programs drop them. */
static bool load(const struct options *opt)
{
	static bool objects = true;
	struct soak_conf *conf;

	skel = soak_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	conf = (struct soak_conf *)&skel->rodata->conf;
	conf->cpus = cpus;
	conf->objects = objects;
	conf->irqsoff = opt->irqsoff;
	conf->acts[SOAK_TASK] = 1024;
	conf->acts[SOAK_SOFTIRQ] = 16;
	conf->acts[SOAK_HARDIRQ] = 16;
	conf->acts[SOAK_NMI] = opt->acts;
	bpf_program__set_autoattach(skel->progs.at_softirq, false);
	bpf_program__set_autoattach(opt->irqsoff ? skel->progs.in_hardirq :
				    skel->progs.at_switch, false);
	if (exercise_load(skel->skeleton, objects ? "soak, with objects" : "soak"))
		return true;
	soak_bpf__destroy(skel);
	if (!objects)
		return false;
	objects = false;
	return load(opt);
}

static void softirqs_start(void)
{
	cpu_set_t all;
	unsigned int cpu;
	int err = 0;

	sched_getaffinity(0, sizeof(all), &all);
	for (cpu = 0; cpu < cpus && !err; cpu++) {
		memory_go_to(cpu);
		err = exercise_call(bpf_program__fd(skel->progs.tick), 0, 0);
	}
	sched_setaffinity(0, sizeof(all), &all);
	if (!err)
		return;
	note("no timers: %s", strerror(-err));
	skel->links.at_softirq = bpf_program__attach(skel->progs.at_softirq);
	if (!skel->links.at_softirq)
		die("softirq_entry: %s", strerror(errno));
}

static void worker(unsigned int cpu)
{
	struct bpf_test_run_opts run = { .sz = sizeof(run) };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memory_go_to(cpu);
	while (!bpf_prog_test_run_opts(bpf_program__fd(skel->progs.in_task), &run))
		;
	_exit(1);
}

static void workers_start(void)
{
	unsigned int cpu;

	for (cpu = 0; cpu < cpus; cpu++) {
		workers[cpu] = fork();
		if (workers[cpu] < 0)
			die("fork: %s", strerror(errno));
		if (!workers[cpu])
			worker(cpu);
	}
}

static void workers_stop(void)
{
	unsigned int cpu;
	int status;

	for (cpu = 0; cpu < cpus; cpu++) {
		kill(workers[cpu], SIGKILL);
		if (waitpid(workers[cpu], &status, 0) != workers[cpu] ||
		    !WIFSIGNALED(status))
			die("the worker of CPU %u had ended", cpu);
	}
}

static void plant(void *arg, __u64 id)
{
	exercise_call(bpf_program__fd(skel->progs.plant), PLANTED, id);
}

/* One thing that programs can't do. */
static void beat(const struct options *opt, __u64 r)
{
	if (r % 4 == 0)
		hashes_new((r >> 8) % cpus, r >> 16);
	if (!opt->last)
		return;
	if (r % 4 == 1)
		world_pass_cgroup(plant, NULL);
	else
		world_replace_task(ctl, LASTING +
				   (r >> 8) % (SOAK_OBJECTS - LASTING));
}

static bool enough(const struct soak_verdict *v, unsigned int taken)
{
	return taken && soak_taken(v) >= taken;
}

static void storm(const struct options *opt, const struct soak_verdict *v,
		  unsigned int taken, unsigned int seconds)
{
	struct timespec tick = { .tv_nsec = BEAT_MS * 1000000 };
	__u64 state = ctl->lane[1][SOAK_LOADER].state;
	uint64_t start = now_ms(), noted = start, now;

	ctl->open = 1;
	softirqs_start();
	workers_start();
	nmi_begin(SOURCE_STORM, opt->period_us);
	do {
		beat(opt, draw(&state));
		nanosleep(&tick, NULL);
		now = now_ms();
		if (now - noted >= NOTE_MS) {
			noted = now;
			note("%llu s: %lld taken",
			     (unsigned long long)(now - start) / 1000,
			     soak_taken(v));
		}
	} while (now - start < seconds * 1000ULL && !enough(v, taken));
	nmi_end(SOURCE_STORM);
	workers_stop();
	ctl->open = 0;
	/* A grace period: who still saw it open has ended, and counted. */
	if (syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		die("membarrier: %s", strerror(errno));
	note("%llu.%03llu s", (unsigned long long)(now - start) / 1000,
	     (unsigned long long)(now - start) % 1000);
}

/* One session: load, storm, all maps gone. The verdict is still open. */
static void session(const struct options *opt, struct soak_verdict *v,
		    unsigned int taken, unsigned int seconds)
{
	if (!load(opt))
		exit(tap_done());
	ctl = &skel->bss->ctl;
	seed_lanes(opt->seed);
	world_show(ctl);
	hashes_new_all();
	v->users_prog = dup(bpf_program__fd(skel->progs.users));
	stir_prog = dup(bpf_program__fd(skel->progs.stir_masks));
	v->ctl = *ctl;
	soak_verdict_begin(v);
	storm(opt, v, taken, seconds);
	v->ctl = *ctl;
	soak_bpf__destroy(skel);
	soak_verdict_wait(v);
}

/* How to get this run once more. */
static void say_again(const struct options *opt)
{
	char limits[64] = "";
	int len = 0;

	if (opt->taken)
		len = snprintf(limits, sizeof(limits), " --taken %u", opt->taken);
	if (opt->seconds)
		snprintf(limits + len, sizeof(limits) - len, " --seconds %u",
			 opt->seconds);
	note("again: soak --seed %u%s --acts %u --period-us %u --variant %s%s%s%s",
	     opt->seed, limits, opt->acts, opt->period_us, opt->variant,
	     opt->last ? " --last" : "", opt->memory ? " --memory" : "",
	     opt->irqsoff ? " --irqsoff" : "");
}

int main(int argc, char **argv)
{
	static struct soak_verdict verdict;
	struct options opt = EXERCISE_OPTIONS;
	struct memory memory;

	opt.seed = 1;
	opt.acts = 256;
	opt.period_us = 2000;
	opt.variant = "taken";
	options_parse(&opt, argc, argv);
	setvbuf(stdout, NULL, _IOFBF, 4096);
	nmi_require(SOURCE_STORM);
	cpus = libbpf_num_possible_cpus();
	if (cpus > SOAK_CPUS)
		die("%u CPUs: at most %u", cpus, SOAK_CPUS);
	say_again(&opt);
	if (!opt.seconds)
		opt.seconds = opt.taken ? 3600 : 10;
	verdict.opt = &opt;
	world_make();
	marker("armed");
	if (opt.memory) {
		note("rehearsal");
		session(&opt, &verdict, 0, REHEARSAL_S);
		memory_begin(&memory, stir_prog, cpus);
	}
	session(&opt, &verdict, opt.taken, opt.seconds);
	if (opt.taken)
		tap_ok(enough(&verdict, opt.taken), "%lld references %s",
		       soak_taken(&verdict), opt.variant);
	soak_verdict_give(&verdict);
	if (opt.memory)
		memory_end(&memory, opt.timeout_ms);
	soak_verdict_end(&verdict);
	marker("nmis %lld", soak_runs(&verdict, SOAK_NMI));
	marker("done");
	return tap_done();
}
