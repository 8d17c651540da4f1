// SPDX-License-Identifier: GPL-2.0-only
/*
 * A new map is filled, and torn down in NMI, before the guard's workers knew of it:
 *
 *   window --variant starve	they can't run: a process of higher priority has
 *				their CPU. All of it was before them, says the guard,
 *				which is to be loaded now: then it wants a line of
 *				input.
 *   window --variant race	they try, and another CPU rushes: into each of
 *				--rounds maps, again and again while it is there
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "common.h"
#include "exercise.h"
#include "window.skel.h"
#include "verdict.h"
#include "victims.h"

#define OTHER_CPU 1
#define FAIR_SERVER DEBUGFS "sched/fair_server/cpu0/runtime"

static struct window_bpf *skel;
static const struct options *opt;
static struct exercise ex;
static struct bpf_map_create_opts types = { .sz = sizeof(types) };
static __u32 zero;

static void types_begin(void)
{
	const struct btf *btf = bpf_object__btf(skel->obj);

	types.btf_fd = bpf_object__btf_fd(skel->obj);
	types.btf_key_type_id = btf__find_by_name_kind(btf, "unsigned int", BTF_KIND_INT);
	types.btf_value_type_id = btf__find_by_name_kind(btf, "value", BTF_KIND_STRUCT);
}

/* A new map, where the program finds it. */
static int map_begin(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "window", sizeof(__u32),
				3 * sizeof(void *), KNG_SLOTS_MAX, &types);

	if (fd < 0)
		die("no map: %s", strerror(errno));
	if (bpf_map_update_elem(bpf_map__fd(skel->maps.outer), &zero, &fd, BPF_ANY))
		die("the map of maps: %s", strerror(errno));
	return fd;
}

static void map_end(int fd)
{
	bpf_map_delete_elem(bpf_map__fd(skel->maps.outer), &zero);
	close(fd);
}

/* As fork(), but it does not outlive us. */
static pid_t child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static void become(pid_t pid, int policy, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	if (sched_setscheduler(pid, policy, &param))
		die("sched_setscheduler: %s", strerror(errno));
}

/* Nothing that is not of real time gets CPU 0 until starve_end(). */
static pid_t starve_begin(void)
{
	pid_t pid;

	file_write("/proc/sys/kernel/sched_rt_runtime_us", "-1");
	file_write(FAIR_SERVER, "0");
	pid = child();
	if (!pid)
		for (;;)
			;
	become(0, SCHED_FIFO, 2);
	become(pid, SCHED_FIFO, 1);
	return pid;
}

static void starve_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	become(0, SCHED_OTHER, 0);
}

/* The guard has seen the map, and no worker of it ran. */
static bool before_workers(void)
{
	bool closed = false, waits = false;
	char line[256];
	FILE *file;

	file = fopen(GUARD_STATS, "r");
	while (file && fgets(line, sizeof(line), file))
		closed |= !strncmp(line, "door_teardown: closed", 21);
	if (file)
		fclose(file);
	file = fopen(DEBUGFS "kptr_nmi_guard/maps", "r");
	while (file && fgets(line, sizeof(line), file))
		waits |= strstr(line, " window array ") && strstr(line, " waits\n");
	if (file)
		fclose(file);
	return closed && waits;
}

static bool alone(void *unused)
{
	unsigned int slot;

	for (slot = 0; slot < opt->slots; slot++)
		if (exercise_call(ex.references, slot, 0) != 1)
			return false;
	return true;
}

static bool torn(void *unused)
{
	nmi_kick(SOURCE_FIRE, NULL);
	return ex.ctl->torn == ex.ctl->created || ex.ctl->failed;
}

static void starve(void)
{
	unsigned int slot;
	bool good = true;
	pid_t pid;
	int fd;

	pid = starve_begin();
	victims_init(KNG_TASK, true);
	victims_make(opt->slots);
	fd = map_begin();
	for (slot = 0; slot < opt->slots; slot++)
		good &= !exercise_call(ex.fill, slot, victim(slot));
	victims_end(opt->timeout_ms);
	good &= wait_until(alone, NULL, opt->timeout_ms);
	tap_ok(good, "%u last references are in a new map", opt->slots);
	marker("armed");
	ex.ctl->open = 1;
	good = wait_until(torn, NULL, opt->timeout_ms);
	ex.ctl->open = 0;
	tap_ok(good && before_workers(), "it was torn down before the guard's workers ran");
	map_end(fd);
	starve_end(pid);
}

/* Fills and tears down on the other CPU; never returns. */
static void rusher(void)
{
	int rush = bpf_program__fd(skel->progs.rush);
	cpu_set_t cpus;
	pid_t parent = getppid();

	CPU_ZERO(&cpus);
	CPU_SET(OTHER_CPU, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		_exit(1);
	for (;;) {
		exercise_call(rush, 0, parent);
		nmi_kick(SOURCE_FIRE, NULL);
	}
}

static bool torn_more(void *before)
{
	return ex.ctl->torn > *(__u64 *)before;
}

static void race(void)
{
	unsigned int i;
	pid_t pid;
	int status;
	__u64 n;

	victims_init(KNG_TASK, false);
	marker("armed");
	ex.ctl->open = 1;
	pid = child();
	if (!pid)
		rusher();
	for (i = 0; i < opt->rounds; i++) {
		int fd;

		n = ex.ctl->torn;
		fd = map_begin();
		if (!wait_until(torn_more, &n, opt->timeout_ms))
			break;
		map_end(fd);
	}
	tap_ok(i == opt->rounds, "%u new maps were filled and torn down", i);
	kill(pid, SIGKILL);
	tap_ok(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status),
	       "the other CPU rushed to the end");
	ex.ctl->open = 0;
}

int main(int argc, char **argv)
{
	static struct options options = EXERCISE_OPTIONS;
	struct verdict verdict = { .ex = &ex };
	bool racing;

	options.variant = "starve";
	options.slots = 64;
	options_parse(&options, argc, argv);
	opt = &options;
	racing = options_variant(opt, "starve", "race");
	exercise_begin(opt);
	skel = window_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	exercise_conf(&skel->rodata->conf, opt);
	if (!exercise_load(skel->skeleton, "window"))
		return tap_done();
	types_begin();
	ex = exercise_of(skel->skeleton, &skel->bss->ctl, opt, "window");
	if (!racing) {
		marker("ready for the guard");
		getchar();
	}
	verdict.racing = racing;
	verdict_begin(&verdict);
	if (racing)
		race();
	else
		starve();
	exercise_close(&ex);
	marker("nmis %llu", ex.ctl->nmis);
	verdict_give(&verdict);
	marker("done");
	return tap_done();
}
