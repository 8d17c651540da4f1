// SPDX-License-Identifier: GPL-2.0-only
/*
 * One NMI leaves jobs pending whose destructor is a module's. When all else
 * that needs the module is gone, they alone keep it:
 *
 *   pending --variant wait	it can't be removed; then they run, and it can
 *   pending --variant leave	ends while they are pending
 *
 * Wants kng_foreign.ko hold=Y, and a guard that hands jobs to a worker
 * (budget=1): the first one runs at once, all others wait.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "common.h"
#include "exercise.h"
#include "pending.skel.h"

#define MODULE "/sys/module/kng_foreign/"

static const struct options *opt;
static struct pending_bpf *skel;

/* The guard sees the map at once, but goes to work from a worker. */
static bool door_is_open(void *unused)
{
	bool open = false;
	char line[256];
	FILE *file;

	file = fopen(GUARD_STATS, "r");
	if (!file)
		die("the guard is not loaded");
	while (!open && fgets(line, sizeof(line), file))
		open = !strcmp(line, "door_teardown: open\n") ||
		       strstr(line, "door_release_of_module_kng_foreign");
	fclose(file);
	return open;
}

static long long pending(void)
{
	return guard_count("pending");
}

static bool all_torn(void *unused)
{
	nmi_kick(SOURCE_FIRE, NULL);
	return skel->bss->ctl.torn == skel->bss->ctl.created ||
	       skel->bss->ctl.failed;
}

static void fill_and_tear(void)
{
	unsigned int slot;
	bool done;
	int err;

	for (slot = 0; slot < opt->slots; slot++) {
		err = exercise_call(bpf_program__fd(skel->progs.fill), slot, 0);
		if (err)
			die("slot %u is not filled: %s", slot, strerror(-err));
	}
	skel->bss->ctl.open = 1;
	done = wait_until(all_torn, NULL, opt->timeout_ms);
	tap_ok(done && !skel->bss->ctl.failed, "%u slots were torn down in NMI",
	       opt->slots);
}

static bool only_jobs_hold_it(void *unused)
{
	long long before = pending(), refs, after;

	refs = file_number(MODULE "refcnt", NULL);
	after = pending();
	return after <= refs && refs <= before;
}

static bool none_pending(void *unused)
{
	return !pending();
}

static bool removed(void *unused)
{
	return !syscall(__NR_delete_module, "kng_foreign", O_NONBLOCK);
}

static void none_lost(void)
{
	struct seen made = witness_count("created");
	struct seen dtors = witness_count("kng_foreign_release_dtor");

	tap_ok(made.total == (long long)opt->slots && made.total == dtors.total,
	       "created %lld == destroyed %lld", made.total, dtors.total);
	tap_ok(!dtors.nmi, "no destructor ran in NMI (%lld)", dtors.nmi);
}

static void remove_module(void)
{
	long long before = pending(), after;
	int err = removed(NULL) ? 0 : errno;

	after = pending();
	tap_ok(before > 0 && after > 0 && err == EWOULDBLOCK,
	       "rmmod with %lld, then %lld jobs pending: %s", before, after,
	       strerror(err));
	tap_ok(!file_write(MODULE "parameters/hold", "N") &&
	       wait_until(none_pending, NULL, opt->timeout_ms),
	       "the jobs come to their end");
	none_lost();
	tap_ok(wait_until(removed, NULL, opt->timeout_ms), "rmmod succeeds then");
}

int main(int argc, char **argv)
{
	static struct options options = EXERCISE_OPTIONS;
	bool wait;

	options.slots = 256;
	options.variant = "wait";
	options_parse(&options, argc, argv);
	opt = &options;
	wait = !options_variant(opt, "wait", "leave");
	exercise_begin(opt);
	skel = pending_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	exercise_conf(&skel->rodata->conf, opt);
	if (!exercise_load(skel->skeleton, "pending"))
		return tap_done();
	tap_ok(wait_until(door_is_open, NULL, opt->timeout_ms),
	       "a door opens for the map");
	marker("armed");
	fill_and_tear();
	pending_bpf__destroy(skel);
	tap_ok(wait_until(only_jobs_hold_it, NULL, opt->timeout_ms) &&
	       pending() == (long long)opt->slots,
	       "only the %lld pending jobs hold the module", pending());
	if (wait)
		remove_module();
	marker("done");
	return tap_done();
}
