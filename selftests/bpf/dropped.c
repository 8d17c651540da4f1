// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ftrace itself drops (kng_drop.c says when and why): references are given
 * back in NMI with ftrace's recursion bits taken in each way, and each time they
 * are accounted for.
 *
 *   dropped --variant WHAT-HOW
 *
 * WHAT: teardown overwrites map values, release calls the release kfunc. HOW:
 * alone, the guard shares none of the functions on that way with the witness,
 * or one of two doors only: ftrace never drops it. shared, it shares all of
 * them: with both bits taken the kernel's own release runs in NMI, as without
 * the guard.
 *
 * They are not the last references, so that this can't hang.
 */
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "common.h"
#include "exercise.h"
#include "dropped.skel.h"

#define GO DEBUGFS "kng_drop/go"

/* Handlers that are nested: below the NMI, and inside it. */
struct nesting {
	unsigned int below, inside;
	bool both_bits;		/* NMI and TRANSITION, at the bottom */
};

static const struct nesting nestings[] = {
	{ 0, 0, false },
	{ 1, 0, false }, { 2, 0, false },
	{ 0, 1, false }, { 1, 1, false },
	{ 0, 2, true }, { 1, 2, true }, { 2, 1, true },
};

struct sums {
	long long taken, not_last, in_nmi;
};

static struct sums sums(void)
{
	return (struct sums){
		.taken = guard_count("taken"),
		.not_last = guard_count("not_last"),
		.in_nmi = witness_count("put_task_struct_rcu_user").nmi,
	};
}

static bool quiet(void *unused)
{
	return !guard_count("pending");
}

static void fill(const struct exercise *ex)
{
	unsigned int slot;

	for (slot = 0; slot < ex->opt->slots; slot++)
		if (exercise_call(ex->fill, slot, getpid()))
			die("slot %u is not filled", slot);
}

static void one(const struct exercise *ex, const struct nesting *n, bool shared)
{
	long long slots = ex->opt->slots, through, in_nmi;
	bool dropped = shared && n->both_bits;
	struct sums was = sums(), is;

	fill(ex);
	ex->ctl->open = 1;
	if (file_write(GO, "%u %u", n->below, n->inside))
		die("%s cannot be written", GO);
	ex->ctl->open = 0;
	wait_until(quiet, NULL, ex->opt->timeout_ms);
	is = sums();
	through = is.taken - was.taken + is.not_last - was.not_last;
	in_nmi = is.in_nmi - was.in_nmi;
	tap_ok(ex->ctl->torn == ex->ctl->created &&
	       through == (dropped ? 0 : slots) &&
	       in_nmi == (dropped ? slots : 0),
	       "%u handlers below, %u inside: %s (%lld through the guard, %lld in NMI)",
	       n->below, n->inside, dropped ? "dropped" : "kept", through,
	       in_nmi);
}

int main(int argc, char **argv)
{
	struct options opt = EXERCISE_OPTIONS;
	struct dropped_bpf *skel;
	struct exercise ex;
	unsigned int i;
	int before;
	bool shared, release;

	opt.variant = "teardown-alone";
	opt.source = SOURCE_NONE;	/* kng_drop sends them */
	options_parse(&opt, argc, argv);
	shared = strstr(opt.variant, "shared");
	release = strstr(opt.variant, "release");
	if (!shared && !strstr(opt.variant, "alone"))
		die("--variant %s: WHAT-HOW is expected", opt.variant);
	exercise_begin(&opt);
	if (access(GO, W_OK) || access(GUARD_STATS, R_OK))
		die("kng_drop.ko and the guard are needed");
	skel = dropped_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	exercise_conf(&skel->rodata->conf, &opt);
	*(__u32 *)&skel->rodata->by_release = release;
	if (!exercise_load(skel->skeleton, "dropped"))
		return tap_done();
	ex = exercise_of(skel->skeleton, &skel->bss->ctl, &opt, "dropped");

	fill(&ex);
	before = exercise_call(ex.references, 0, 0) - opt.slots;
	exercise_call(ex.sweep, 0, 0);
	marker("armed");
	for (i = 0; i < sizeof(nestings) / sizeof(*nestings); i++)
		one(&ex, &nestings[i], shared);
	tap_ok(exercise_call(ex.references, 0, 0) == before,
	       "the task's own count is as before (%d, now %d)", before,
	       exercise_call(ex.references, 0, 0));
	tap_ok(!file_number(DEBUGFS "kng_drop/lost", NULL),
	       "all handlers were entered");
	marker("done");
	return tap_done();
}
