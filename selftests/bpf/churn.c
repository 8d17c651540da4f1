// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many maps with room for task kptrs, hashes of --dtors entries:
 *
 *   churn --variant die --rounds N	made and ended, N by each of two processes
 *   churn --variant stay --rounds N	made one after the other; when the guard
 *					has jobs for all of them, how long did that
 *					take each? They end with a line of input.
 *   churn --variant again --rounds N	the same, but each ends when it has its
 *					jobs, and the next one comes at once
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "common.h"
#include "options.h"
#include "churn.skel.h"

#define PROCESSES 2
/* So many of them exist at once in a process that makes and ends maps. */
#define OPEN_AT_ONCE 8
#define GUARD_MAPS DEBUGFS "kptr_nmi_guard/maps"

static struct options opt = {
	.variant = "die", .rounds = 1000, .dtors = 16, .timeout_ms = 30000,
};

static struct bpf_map_create_opts types = {
	.sz = sizeof(types), .map_flags = BPF_F_NO_PREALLOC,
};

/* The map of the skeleton lends its types, and goes. */
static void types_begin(void)
{
	struct churn_bpf *skel = churn_bpf__open();

	if (!skel)
		die("the skeleton does not open");
	if (churn_bpf__load(skel))
		die("the map of types is not made");
	types.btf_key_type_id = bpf_map__btf_key_type_id(skel->maps.task);
	types.btf_value_type_id = bpf_map__btf_value_type_id(skel->maps.task);
	types.btf_fd = dup(bpf_object__btf_fd(skel->obj));
	churn_bpf__destroy(skel);
}

static int make(void)
{
	return bpf_map_create(BPF_MAP_TYPE_HASH, "churn", sizeof(__u32),
			      sizeof(void *), opt.dtors, &types);
}

/* The exit code of a process: 0 if all were made. */
static int make_and_end(void)
{
	int fd[OPEN_AT_ONCE] = { 0 };
	unsigned int i;

	for (i = 0; i < opt.rounds; i++) {
		int *slot = &fd[i % OPEN_AT_ONCE];

		if (*slot)
			close(*slot);
		*slot = make();
		if (*slot < 0)
			return 1;
	}
	return 0;
}

static void die_all(void)
{
	int i, status, good = 0;

	for (i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork: %s", strerror(errno));
		if (!pid)
			_exit(make_and_end());
	}
	for (i = 0; i < PROCESSES; i++)
		good += wait(&status) > 0 && !status;
	tap_ok(good == PROCESSES, "%u maps made and ended", PROCESSES * opt.rounds);
}

/*
 * How long the guard's maps of ours waited for their jobs, @us, up to @max of
 * them; those that still wait: UINT_MAX. Returns how many there are.
 */
static unsigned int read_waits(unsigned int *us, unsigned int max)
{
	unsigned int nr = 0;
	char line[256], name[32];
	FILE *file = fopen(GUARD_MAPS, "r");

	if (!file)
		die("the guard is not loaded");
	while (nr < max && fgets(line, sizeof(line), file)) {
		char *met = strstr(line, " met_us ");

		if (sscanf(line, "%*u %31s", name) == 1 && !strcmp(name, "churn"))
			us[nr++] = met ? strtoul(met + 8, NULL, 10) : UINT_MAX;
	}
	fclose(file);
	return nr;
}

static int by_value(const void *a, const void *b)
{
	unsigned int x = *(const unsigned int *)a, y = *(const unsigned int *)b;

	return x < y ? -1 : x > y;
}

static unsigned int *waits;

static bool all_met(void *unused)
{
	if (read_waits(waits, opt.rounds) < opt.rounds)
		return false;
	qsort(waits, opt.rounds, sizeof(*waits), by_value);
	return waits[opt.rounds - 1] != UINT_MAX;
}

static void stay_all(void)
{
	struct rlimit many = { opt.rounds + 64, opt.rounds + 64 };
	unsigned int i, made = 0;

	if (setrlimit(RLIMIT_NOFILE, &many))
		die("no room for %u maps", opt.rounds);
	for (i = 0; i < opt.rounds; i++) {
		made += make() >= 0;
		usleep(opt.period_us);
	}
	tap_ok(made == opt.rounds, "%u maps made", made);
	tap_ok(wait_until(all_met, NULL, opt.timeout_ms), "all are listed, with their jobs");
}

static bool met(void *us)
{
	return read_waits(us, 1) && *(unsigned int *)us != UINT_MAX;
}

static bool gone(void *us)
{
	return !read_waits(us, 1);
}

static void again_all(void)
{
	unsigned int i, unused;
	int fd;

	for (i = 0; i < opt.rounds; i++) {
		fd = make();
		if (fd < 0 || !wait_until(met, &waits[i], opt.timeout_ms))
			break;
		close(fd);
		if (!wait_until(gone, &unused, opt.timeout_ms))
			break;
	}
	tap_ok(i == opt.rounds, "%u maps made, each had its jobs, and ended", i);
	qsort(waits, opt.rounds, sizeof(*waits), by_value);
}

int main(int argc, char **argv)
{
	options_parse(&opt, argc, argv);
	types_begin();
	waits = calloc(opt.rounds, sizeof(*waits));
	if (!waits)
		die("no memory");
	if (!strcmp(opt.variant, "die")) {
		die_all();
		return tap_done();
	}
	if (options_variant(&opt, "stay", "again"))
		again_all();
	else
		stay_all();
	note("jobs were there after p50 %u us, p99 %u us, at most %u us",
	     waits[opt.rounds / 2], waits[opt.rounds * 99 / 100],
	     waits[opt.rounds - 1]);
	marker("stay");
	getchar();
	return tap_done();
}
