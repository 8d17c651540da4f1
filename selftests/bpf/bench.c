// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures one configuration of the machine with kng_bench.ko:
 *
 *   bench CONFIG calls	calls of the doors, in task context and in NMI
 *   bench CONFIG peers	empty handlers, pools (no guard needed)
 *   bench CONFIG maps		maps made and closed when there are many
 *   bench CONFIG burst N	N references in one NMI, and their drain
 *   bench CONFIG time ROW COMMAND...	how long a command takes, in ms
 *
 * and prints a line "bench CONFIG ROW VALUE" for each row. VALUE is in time stamp
 * counts a call, what the measuring itself costs taken off. CONFIG is only a
 * name, but for "bare", where nothing keeps the last reference from being put in
 * NMI: those rows are left out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.skel.h"
#include "common.h"

#define BENCH DEBUGFS "kng_bench/"
#define COUNT 64	/* a hardirq runs so many */
#define PAIRS 16
#define TRIES 5
#define MANY 10000
#define BATCH 50

static const char *config;
static bool bare;
static struct bench_bpf *skel;

struct result {
	unsigned long long min, mean, drain;
};

static struct result once(const char *what, const char *where, int count, const char *last)
{
	struct result r;
	FILE *file;
	int err = file_write(BENCH "run", "%s %s %d %s\n", what, where, count, last);

	if (err)
		die("%s %s %d %s: %s", what, where, count, last, strerror(-err));
	file = fopen(BENCH "result", "r");
	if (!file || fscanf(file, "min %llu mean %llu drain %llu", &r.min, &r.mean,
			    &r.drain) != 3)
		die("no result of %s", what);
	fclose(file);
	return r;
}

/* A tick or two may fall into a run: the least of some. */
static struct result run(const char *what, const char *where, int count, const char *last)
{
	struct result least = { ~0ULL, ~0ULL, ~0ULL }, r;
	int i;

	for (i = 0; i < TRIES; i++) {
		r = once(what, where, count, last);
		if (r.min < least.min)
			least.min = r.min;
		if (r.mean < least.mean)
			least.mean = r.mean;
		if (r.drain < least.drain)
			least.drain = r.drain;
	}
	return least;
}

static double cost(const char *what, const char *where, const char *last)
{
	struct result empty = run("empty", where, COUNT, "");

	return (double)run(what, where, COUNT, last).min - empty.min;
}

static void row(const char *name, double value)
{
	printf("bench %s %s %g\n", config, name, value);
	fflush(stdout);
}

static void use_map(const struct bpf_map *map)
{
	if (file_write(BENCH "map", "%d\n", map ? bpf_map__fd(map) : -1))
		die("the map is not taken");
}

static void use_prog(const struct bpf_program *prog)
{
	if (file_write(BENCH "prog", "%d\n", bpf_program__fd(prog)))
		die("the program is not taken");
}

static void use_symbol(const char *name)
{
	if (file_write(BENCH "symbol", "%s\n", name))
		die("no function %s", name);
}

static double update(const struct bpf_map *map, const char *what, const char *where)
{
	use_map(map);
	return cost(what, where, "");
}

static void rows_of_maps(void)
{
	row("update-task-plain", update(skel->maps.plain, "update", "task"));
	row("update-task-kptrs", update(skel->maps.array1, "update", "task"));
	row("update-task-hash", update(skel->maps.plain_hash, "update", "task"));
	row("delete-task-hash", update(skel->maps.plain_hash, "delete", "task"));
	row("update-nmi-plain", update(skel->maps.plain, "update", "nmi"));
	row("update-nmi-empty1", update(skel->maps.array1, "update", "nmi"));
	row("update-nmi-empty8", update(skel->maps.array8, "update", "nmi"));
	row("update-nmi-filled1", update(skel->maps.array1, "update-filled", "nmi"));
	row("update-nmi-filled2", update(skel->maps.array2, "update-filled", "nmi"));
	row("update-nmi-filled8", update(skel->maps.array8, "update-filled", "nmi"));
	row("delete-nmi-hash", update(skel->maps.plain_hash, "delete", "nmi"));
	row("delete-nmi-hash1", update(skel->maps.hash1, "delete-filled", "nmi"));
	use_map(NULL);
}

/* What a peer's handler adds is seen on a map without kptrs. */
static void rows_of_peers(void)
{
	static const char * const peers[] = { "ftrace", "ipmodify", "recursion", "kprobe" };
	unsigned int i;

	for (i = 0; i < sizeof(peers) / sizeof(*peers); i++) {
		char name[64];

		if (file_write(BENCH "peer", "%s bpf_obj_free_fields\n", peers[i]))
			die("peer %s", peers[i]);
		snprintf(name, sizeof(name), "update-task-plain-%s", peers[i]);
		row(name, update(skel->maps.plain, "update", "task"));
		snprintf(name, sizeof(name), "update-nmi-plain-%s", peers[i]);
		row(name, update(skel->maps.plain, "update", "nmi"));
	}
	file_write(BENCH "peer", "none\n");
	use_map(NULL);
}

/* A destructor in the drain: what one more pending job adds. */
static void rows_of_drain(void)
{
	double few = run("release", "nmi", 16, "last").drain;
	double many = run("release", "nmi", 48, "last").drain;

	row("drain-per-job", (many - few) / 32);
}

static void rows_of_releases(void)
{
	use_symbol("bpf_task_release");
	row("release-task", cost("release", "task", ""));
	row("release-irqsoff", cost("release", "irqsoff", ""));
	row("release-nmi-not-last", cost("release", "nmi", ""));
	if (!bare)
		row("release-nmi-last", cost("release", "nmi", "last"));
	use_symbol("bpf_task_release_dtor");
	row("dtor-task", cost("release", "task", ""));
	row("dtor-nmi-not-last", cost("release", "nmi", ""));
	if (bare)
		return;
	row("dtor-nmi-last", cost("release", "nmi", "last"));
	rows_of_drain();
}

static void rows_of_exchanges(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	double without, with;

	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.put_in), &opts) || opts.retval)
		die("no task can be put into a map");
	use_prog(skel->progs.no_pairs);
	without = cost("prog", "task", "");
	use_prog(skel->progs.pairs);
	with = cost("prog", "task", "");
	row("xchg-pair", (with - without) / PAIRS);
	file_write(BENCH "prog", "-1\n");
}

static double prog_cost(const struct bpf_program *prog, const char *what)
{
	use_prog(prog);
	return cost(what, "nmi", "");
}

/* What a BPF program's own call costs in NMI; the reference is not the last. */
static void rows_of_programs(void)
{
	double nothing = prog_cost(skel->progs.nothing, "prog");

	use_map(skel->maps.array1);
	row("prog-nmi-update", prog_cost(skel->progs.update, "prog-filled") - nothing);
	row("prog-nmi-xchg-release", prog_cost(skel->progs.release, "prog-filled") - nothing);
	use_map(skel->maps.hash1);
	row("prog-nmi-delete", prog_cost(skel->progs.delete, "prog-inserted") - nothing);
	use_map(NULL);
	file_write(BENCH "prog", "-1\n");
}

static void load(void)
{
	skel = bench_bpf__open_and_load();
	if (!skel)
		die("the maps are not made");
	/* The door opens in a worker. */
	usleep(500000);
}

static void calls(void)
{
	load();
	/* First: kng_bench fills slots past the count of reserve=exact, which then is wrong. */
	rows_of_exchanges();
	rows_of_maps();
	rows_of_releases();
	rows_of_programs();
	bench_bpf__destroy(skel);
}

static void peers(void)
{
	static const char * const pools[] = {
		"pool-kng", "pool-llist", "pool-llist-lock", "pool-objpool", "pool-freelist"
	};
	unsigned int i;

	load();
	rows_of_peers();
	bench_bpf__destroy(skel);
	for (i = 0; i < sizeof(pools) / sizeof(*pools); i++)
		row(pools[i], cost(pools[i], "task", ""));
}

static int fds[MANY + BATCH];
static int nr_maps;

static int make_map(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts,
		    .btf_fd = bpf_object__btf_fd(skel->obj),
		    .btf_key_type_id = bpf_map__btf_key_type_id(skel->maps.array1),
		    .btf_value_type_id = bpf_map__btf_value_type_id(skel->maps.array1));
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "many", 4, 8, 1, &opts);

	if (fd < 0)
		die("map %d: %s", nr_maps, strerror(errno));
	return fd;
}

/* All that goes on meanwhile counts: workers have the same CPU. */
static void batch(int others)
{
	unsigned long long start, made, closed;
	char name[64];
	int i;

	for (; nr_maps < others; nr_maps++)
		fds[nr_maps] = make_map();
	usleep(3000000);
	start = __rdtsc();
	for (i = 0; i < BATCH; i++)
		fds[nr_maps + i] = make_map();
	made = __rdtsc() - start;
	usleep(3000000);
	start = __rdtsc();
	for (i = 0; i < BATCH; i++)
		close(fds[nr_maps + i]);
	closed = __rdtsc() - start;
	snprintf(name, sizeof(name), "map-create-of-%d", others);
	row(name, (double)made / BATCH);
	snprintf(name, sizeof(name), "map-close-of-%d", others);
	row(name, (double)closed / BATCH);
}

static void maps(void)
{
	struct rlimit limit = { MANY + 1000, MANY + 1000 };
	int others;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("no %d file descriptors", MANY + 1000);
	load();
	for (others = 1; others <= MANY; others *= 10)
		batch(others);
	bench_bpf__destroy(skel);
}

static void burst(int jobs)
{
	long long before = file_number(GUARD_STATS, "run_hardirq"), ran;
	struct result r;
	char name[64];

	use_symbol("bpf_task_release");
	r = once("release", "nmi", jobs, "last");
	ran = file_number(GUARD_STATS, "run_hardirq") - before;
	snprintf(name, sizeof(name), "burst-%d-release", jobs);
	row(name, (double)r.mean - once("empty", "nmi", COUNT, "").min);
	snprintf(name, sizeof(name), "burst-%d-first-hardirq", jobs);
	row(name, r.drain);
	snprintf(name, sizeof(name), "burst-%d-in-hardirq", jobs);
	row(name, ran);
	snprintf(name, sizeof(name), "burst-%d-longest-run", jobs);
	row(name, file_number(GUARD_STATS, "longest_run"));
}

static void timed(const char *name, char **argv)
{
	struct timespec start, end;
	int status;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &start);
	pid = fork();
	if (!pid) {
		execvp(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
		die("%s failed", argv[0]);
	clock_gettime(CLOCK_MONOTONIC, &end);
	row(name, (end.tv_sec - start.tv_sec) * 1e3 + (end.tv_nsec - start.tv_nsec) / 1e6);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";

	config = argc > 1 ? argv[1] : "";
	bare = !strcmp(config, "bare");
	if (!strcmp(what, "calls"))
		calls();
	else if (!strcmp(what, "peers"))
		peers();
	else if (!strcmp(what, "maps"))
		maps();
	else if (!strcmp(what, "burst") && argc > 3)
		burst(atoi(argv[3]));
	else if (!strcmp(what, "time") && argc > 4)
		timed(argv[3], argv + 4);
	else
		die("usage: bench CONFIG calls|peers|maps|burst N|time ROW COMMAND...");
	return 0;
}
