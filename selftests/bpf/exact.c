// SPDX-License-Identifier: GPL-2.0-only
/*
 * For reserve=exact: a map of task kptrs, and programs, pinned in
 * /sys/fs/bpf/NAME, where they outlive this one and the guard.
 *
 *   exact pin NAME KIND ENTRIES	load; KIND: array percpu_array hash percpu_hash
 *	shared: an array, with the program of that name; tracer: the fexit only
 *   exact fill NAME N [FROM [PID]]	references of a task (1) into N slots
 *   exact take NAME N [FROM]		out again, and released
 *   exact tear NAME N FROM MODE	as NMIs do (exact.h)
 *   exact tell NAME N			how many are full; the task's references
 *   exact take_first NAME		a program that does little else
 *   exact shared NAME			one subprogram for two kinds of kptrs
 *   exact seen_told NAME		calls of the helper, and those that were refused
 *   exact arm NAME N MODE		what NMIs do; 0: nothing
 *   exact storm NAME N NMIS MODE	fill against so many NMIs, with pauses in which
 *					what is counted is compared with what is there
 *   exact left any			such maps that there are, pinned or not: the
 *					kernel lets them go a little later
 *
 * Each prints what it did as lines "name value".
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "common.h"
#include "exact.h"
#include "exact.skel.h"
#include "nmi.h"

static char dir[64];

static const char *at(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int opened(const char *name)
{
	int fd = bpf_obj_get(at(name));

	if (fd < 0)
		die("%s: %s", at(name), strerror(errno));
	return fd;
}

/* The answer comes back in place of the argument. */
static int run_fd(int fd, struct exact_arg *arg)
{
	struct bpf_test_run_opts opts = {
		.sz = sizeof(opts), .ctx_in = arg, .ctx_size_in = sizeof(*arg),
	};

	if (bpf_prog_test_run_opts(fd, &opts))
		die("a BPF program cannot be run: %s", strerror(errno));
	return opts.retval;
}

static int run(const char *name, struct exact_arg *arg)
{
	int fd = opened(name);
	int ret = run_fd(fd, arg);

	close(fd);
	return ret;
}

static void print(const struct exact_arg *arg)
{
	printf("stored %llu\nrefused %llu\ntaken %llu\ntorn %llu\nfull %llu\n",
	       arg->stored, arg->refused, arg->taken, arg->torn, arg->full);
	printf("changed %llu\nfailed %llu\nnmis %llu\nusers %lld\n",
	       arg->changed, arg->failed, arg->nmis, arg->users);
	fflush(stdout);
}

static bool wanted(const char *prog, const char *kind)
{
	if (!strcmp(kind, "tracer"))
		return !strncmp(prog, "seen", 4);
	return strncmp(prog, "seen", 4) &&
	       (strcmp(prog, "shared") || !strcmp(kind, "shared"));
}

static void choose(struct exact_bpf *skel, const char *kind)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, skel->obj)
		bpf_program__set_autoload(prog, wanted(bpf_program__name(prog), kind));
	bpf_map__set_autocreate(skel->maps.slots, strcmp(kind, "tracer"));
	bpf_map__set_autocreate(skel->maps.objects, !strcmp(kind, "shared"));
	if (!strncmp(kind, "percpu", 6))
		*(__u32 *)&skel->rodata->copies = libbpf_num_possible_cpus();
	if (!strcmp(kind, "percpu_array"))
		bpf_map__set_type(skel->maps.slots, BPF_MAP_TYPE_PERCPU_ARRAY);
	if (!strstr(kind, "hash"))
		return;
	bpf_map__set_type(skel->maps.slots, !strcmp(kind, "hash") ?
			  BPF_MAP_TYPE_HASH : BPF_MAP_TYPE_PERCPU_HASH);
	bpf_map__set_map_flags(skel->maps.slots, BPF_F_NO_PREALLOC);
}

static int pin(const char *kind, unsigned int entries)
{
	struct exact_bpf *skel = exact_bpf__open();
	bool tracer = !strcmp(kind, "tracer");
	struct bpf_program *prog;
	struct bpf_link *link;

	if (!skel)
		die("the skeleton does not open");
	choose(skel, kind);
	bpf_map__set_max_entries(skel->maps.slots, entries);
	if (exact_bpf__load(skel))
		die("the programs do not load");
	if (mkdir(dir, 0700))
		die("%s: %s", dir, strerror(errno));
	bpf_object__for_each_program(prog, skel->obj)
		if (bpf_program__autoload(prog) &&
		    bpf_program__pin(prog, at(bpf_program__name(prog))))
			die("%s: %s", at(bpf_program__name(prog)), strerror(errno));
	link = bpf_program__attach(tracer ? skel->progs.seen : skel->progs.on_nmi);
	if (!link || bpf_link__pin(link, at("link")))
		die("%s is not attached: %s", dir, strerror(errno));
	return 0;
}

static void arm(__u32 n, __u32 mode)
{
	struct exact_arg arg = { .n = n, .pid = mode };

	run("arm", &arg);
}

static bool quiet(void *unused)
{
	return guard_count("pending") == 0;
}

/* Both phases, at least; and an end where no NMI comes. */
#define STORM_ROUNDS		2
#define STORM_DEADLINE_MS	120000

/*
 * A phase of filling and one of taking out, against NMIs that tear down; then all
 * is still, and compared. The count may be too high, where a reference went
 * untold; it may never be too low.
 */
static int storm(unsigned int n, unsigned int nmis, unsigned int mode)
{
	int fill = opened("fill"), take = opened("take"), tell = opened("tell");
	uint64_t deadline = now_ms() + STORM_DEADLINE_MS;
	struct exact_arg sum = {};
	long long counted, low = 0, high = 0, most = 0;
	unsigned int round = 0, jobs_most = 0, jobs_least = ~0U, i;

	marker("armed");
	while ((sum.nmis < nmis || round < STORM_ROUNDS) && now_ms() < deadline) {
		struct exact_arg told = { .n = n, .pid = 1 };
		uint64_t phase = now_ms() + 1500;
		long long jobs;

		arm(n, mode);
		nmi_begin(SOURCE_STORM, 500);
		for (i = 0; now_ms() < phase; i = (i + 256) % n) {
			struct exact_arg arg = {
				.from = i, .n = 256, .pid = 1 + round / 2 % 2,
			};

			run_fd(round % 2 ? take : fill, &arg);
			sum.stored += arg.stored;
			sum.taken += arg.taken;
		}
		nmi_end(SOURCE_STORM);
		arm(n, EXACT_OFF);
		wait_until(quiet, NULL, 20000);
		run_fd(tell, &told);
		counted = guard_count("references");
		jobs = guard_count("jobs_total");
		jobs_most = jobs > jobs_most ? jobs : jobs_most;
		jobs_least = jobs < jobs_least ? jobs : jobs_least;
		low += counted < (long long)told.full;
		high += counted > (long long)told.full;
		most = (long long)told.full > most ? (long long)told.full : most;
		note("full %llu, counted %lld, jobs %lld, stored %llu, refused %lld, taken %llu, nmis %llu",
		     told.full, counted, jobs, sum.stored, guard_count("refused"),
		     sum.taken, told.nmis);
		sum.nmis = told.nmis;
		round++;
	}
	sum.refused = guard_count("refused");
	print(&sum);
	printf("rounds %u\ntoo_low %lld\ntoo_high %lld\nmost_full %lld\njobs_most %u\njobs_least %u\n",
	       round, low, high, most, jobs_most, jobs_least);
	return 0;
}

static int left(void)
{
	struct bpf_map_info info;
	__u32 id = 0, len, n = 0;
	int fd;

	while (!bpf_map_get_next_id(id, &id)) {
		fd = bpf_map_get_fd_by_id(id);
		len = sizeof(info);
		memset(&info, 0, len);
		n += fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) &&
		     !strcmp(info.name, "slots");
		close(fd);
	}
	printf("left %u\n", n);
	return 0;
}

static unsigned int number(int argc, char **argv, int i, unsigned int otherwise)
{
	return argc > i ? strtoul(argv[i], NULL, 0) : otherwise;
}

int main(int argc, char **argv)
{
	struct exact_arg arg = {};
	int ret;

	if (argc < 3)
		die("usage: exact COMMAND NAME [ARG]..., see exact.c");
	snprintf(dir, sizeof(dir), "/sys/fs/bpf/%s", argv[2]);
	arg.n = number(argc, argv, 3, 0);
	arg.from = number(argc, argv, 4, 0);
	arg.pid = number(argc, argv, 5, 1);
	if (!strcmp(argv[1], "pin"))
		return pin(argc > 3 ? argv[3] : "array", number(argc, argv, 4, 1));
	if (!strcmp(argv[1], "left"))
		return left();
	if (!strcmp(argv[1], "arm")) {
		arm(arg.n, arg.from);
		return 0;
	}
	if (!strcmp(argv[1], "storm"))
		return storm(arg.n, arg.from, arg.pid);
	ret = run(argv[1], &arg);
	print(&arg);
	printf("ret %d\n", ret);
	return 0;
}
