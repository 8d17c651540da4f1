// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures one configuration of the machine with kng_bench.ko:
 *
 *   bench --variant CONFIG
 *
 * and prints a line "bench CONFIG ROW VALUE" for each row. VALUE is in time stamp
 * counts a call, what the measuring itself costs taken off. CONFIG is only a
 * name, but for "bare", where nothing keeps the last reference from being put in
 * NMI: those rows are left out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.skel.h"
#include "common.h"
#include "options.h"

#define BENCH DEBUGFS "kng_bench/"
#define COUNT 64
#define PAIRS 16
#define TRIES 5

static const char *config;
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

static void rows_of_releases(bool bare)
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
	double without, with;
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (bpf_prog_test_run_opts(bpf_program__fd(skel->progs.put_in), &opts) || opts.retval)
		die("no task can be put into a map");
	use_prog(skel->progs.no_pairs);
	without = cost("prog", "task", "");
	use_prog(skel->progs.pairs);
	with = cost("prog", "task", "");
	row("xchg-pair", (with - without) / PAIRS);
	file_write(BENCH "prog", "-1\n");
}

int main(int argc, char **argv)
{
	struct options opt = { .variant = "bare" };
	bool bare;

	options_parse(&opt, argc, argv);
	config = opt.variant;
	bare = !strcmp(config, "bare");
	skel = bench_bpf__open_and_load();
	if (!skel)
		die("the maps are not made");
	rows_of_maps();
	rows_of_releases(bare);
	rows_of_exchanges();
	if (bare)
		rows_of_peers();
	bench_bpf__destroy(skel);
	return 0;
}
