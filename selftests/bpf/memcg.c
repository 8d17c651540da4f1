// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last reference to a removed cgroup's memory cgroup, put in NMI:
 *
 *   memcg --rounds 8 --source at --expect-nmi any|stub
 *
 * A child on CPU 1 makes a TCP socket while it is in the cgroup: the socket keeps a
 * reference. When the NMI has one, too, the child closes the socket.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "common.h"
#include "exercise.h"
#include "memcg.h"
#include "memcg.skel.h"
#include "victims.h"

#define CGROUPFS "/sys/fs/cgroup/"
#define PARENT CGROUPFS "kng-memcg"
#define CHILD PARENT "/child"
#define OTHER_CPU 1

static struct memcg_bpf *skel;
static struct memcg_ctl *ctl;

static void write_or_die(const char *path, const char *text)
{
	int err = file_write(path, "%s", text);

	if (err)
		die("%s: %s", path, strerror(-err));
}

static __u64 parent_make(void)
{
	struct stat st;

	write_or_die(CGROUPFS "cgroup.subtree_control", "+memory");
	if (mkdir(PARENT, 0700) || stat(PARENT, &st))
		die("%s: %s", PARENT, strerror(errno));
	write_or_die(PARENT "/cgroup.subtree_control", "+memory");
	return st.st_ino;
}

/* In the child: a socket that belongs to the cgroup, until the NMI has a reference. */
static int keep_socket(int ready)
{
	cpu_set_t cpus;
	int sock;

	CPU_ZERO(&cpus);
	CPU_SET(OTHER_CPU, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) ||
	    file_write(CHILD "/cgroup.procs", "0"))
		return 1;
	sock = socket(AF_INET, SOCK_STREAM, 0);
	if (sock < 0 || file_write(CGROUPFS "cgroup.procs", "0") ||
	    write(ready, "", 1) != 1)
		return 1;
	while (!*(volatile __u32 *)&ctl->held)
		;
	close(sock);
	return 0;
}

static pid_t owner_make(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (mkdir(CHILD, 0700) || pipe(ready))
		die("%s: %s", CHILD, strerror(errno));
	pid = fork();
	if (!pid)
		_exit(keep_socket(ready[1]));
	close(ready[1]);
	if (pid < 0 || read(ready[0], &byte, 1) != 1)
		die("the child makes no socket");
	close(ready[0]);
	if (rmdir(CHILD))
		die("%s: %s", CHILD, strerror(errno));
	return pid;
}

/* The socket's reference is the only one. */
static int references;

static bool alone(void *unused)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.references), &opts))
		die("a BPF program cannot be run: %s", strerror(errno));
	references = (int)opts.retval;
	return references == 1;
}

static __u64 wanted;
static const struct options *options;

static bool put(void *unused)
{
	volatile struct memcg_ctl *c = ctl;

	if (c->put < wanted)
		nmi_kick(options->source, nmi_stir_workers);
	return c->put >= wanted;
}

static bool one_round(unsigned int round)
{
	pid_t owner;
	int status;
	bool done;

	ctl->held = 0;
	owner = owner_make();
	if (!wait_until(alone, NULL, options->timeout_ms)) {
		note("round %u: not one reference, but %d", round, references);
		return false;
	}
	if (!round) {
		marker("armed");
		nmi_begin(options->source, options->period_us);
	}
	wanted = ctl->put + 1;
	ctl->open = 1;
	done = wait_until(put, NULL, options->timeout_ms);
	ctl->open = 0;
	ctl->held = 1;
	if (waitpid(owner, &status, 0) != owner || status)
		die("the child fails");
	return done;
}

static bool all_gone(void *before)
{
	return victims_dying_cgroups() <= *(long long *)before;
}

static void verdict(unsigned int rounds, long long dying)
{
	struct seen put = witness_count("bpf_put_mem_cgroup");
	struct seen work = witness_count("css_release");

	note("nmis %llu, put %llu, missed %llu", ctl->nmis, ctl->put, ctl->missed);
	tap_ok(ctl->put == rounds && ctl->put - ctl->not_last >= rounds / 4,
	       "%llu puts in NMI, %llu not of the last reference", ctl->put, ctl->not_last);
	tap_ok(put.nmi >= (long long)rounds, "bpf_put_mem_cgroup() was entered in NMI (%lld)",
	       put.nmi);
	if (options->expect_nmi == DTORS_STUBBED)
		tap_ok(!work.nmi, "the last put's work was not done in NMI (%lld)", work.nmi);
	tap_ok(wait_until(all_gone, &dying, options->timeout_ms), "the removed cgroups are gone");
	if (nmi_late(options->source) > 0)
		tap_ok(false, "%lld NMIs came late", nmi_late(options->source));
}

int main(int argc, char **argv)
{
	struct options opt = EXERCISE_OPTIONS;
	unsigned int round = 0;
	bool good = true;
	long long dying;

	opt.rounds = 8;
	opt.at = "insert_work";
	options_parse(&opt, argc, argv);
	options = &opt;
	exercise_begin(&opt);
	if (!witness_present() || !witness_watches("css_release"))
		die("the witness does not watch css_release");
	skel = memcg_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	*(__u64 *)&skel->rodata->parent_id = parent_make();
	if (!exercise_load(skel->skeleton, "memcg"))
		return tap_done();
	ctl = &skel->bss->ctl;
	dying = victims_dying_cgroups();
	witness_reset();
	while (good && round < opt.rounds)
		good = one_round(round++);
	nmi_end(opt.source);
	tap_ok(good, "%u rounds", round);
	verdict(round, dying);
	memcg_bpf__destroy(skel);
	rmdir(PARENT);
	marker("done");
	return tap_done();
}
