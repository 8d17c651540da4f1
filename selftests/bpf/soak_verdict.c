// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reference that a program acquired is given back in one of these ways:
 *
 *	created == released by the program, outside NMI
 *		 + destroyed: its destructor was entered outside NMI, by the
 *		   kernel or by the guard for what it took
 *		 + not the last one: the guard gave it back in NMI at once
 *
 * Programs count what they acquire and release, the witness counts destructors,
 * the guard the third. Releases and destructors that are called in NMI are
 * diverted, so they do not count; but those of cpumasks' kfunc, which may work
 * there. Without the guard all count, and nothing is "not the last". (With
 * --irqsoff, "NMI" is all that has interrupts off.)
 */
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "exercise.h"
#include "soak_verdict.h"
#include "soak_world.h"
#include "victims.h"

static const char *const kinds[SOAK_KINDS] = { "task", "cgroup", "cpumask" };
static const char *const must_be_0[] = { SOAK_MUST_BE_0 };

struct balance {
	long long created, released, destroyed;
	long long in_nmi;		/* destructors entered there */
};

long long soak_taken(const struct soak_verdict *v)
{
	long long n = guard_count("taken") - v->taken;

	if (options_variant(v->opt, "taken", "passed"))
		n += guard_count("not_last") - v->not_last;
	return n;
}

static struct seen dtors(int kind)
{
	char name[64];

	snprintf(name, sizeof(name), "bpf_%s_release_dtor", kinds[kind]);
	return witness_count(name);
}

/* The guard takes what is released there. */
static bool deferred(const struct soak_verdict *v, int context)
{
	return context == SOAK_NMI ||
	       (v->opt->irqsoff && context == SOAK_HARDIRQ);
}

static struct balance balance_of(const struct soak_verdict *v, int kind)
{
	bool all = kind == SOAK_A_MASK || !guard_present();
	struct seen seen = dtors(kind);
	struct balance b = {
		.destroyed = seen.total - (guard_present() ? seen.nmi : 0),
		.in_nmi = seen.nmi,
	};
	unsigned int cpu, c;

	for (cpu = 0; cpu < SOAK_CPUS; cpu++) {
		for (c = 0; c < SOAK_CONTEXTS; c++) {
			b.created += v->ctl.lane[cpu][c].created[kind];
			if (all || !deferred(v, c))
				b.released += v->ctl.lane[cpu][c].released[kind];
		}
	}
	return b;
}

/* What is left over for the guard's "not the last". */
static long long rest(const struct soak_verdict *v)
{
	struct balance b;
	long long n = 0;
	int kind;

	for (kind = 0; kind < SOAK_KINDS; kind++) {
		b = balance_of(v, kind);
		n += b.created - b.released - b.destroyed;
	}
	return n;
}

static bool balanced(void *arg)
{
	struct soak_verdict *v = arg;

	return rest(v) == guard_count("not_last") - v->not_last;
}

static bool users_as_before(void *arg)
{
	struct soak_verdict *v = arg;
	unsigned int i;

	for (i = 0; i < LASTING; i++)
		if (exercise_call(v->users_prog, 0, v->ctl.pid[i]) != v->users[i])
			return false;
	return true;
}

static bool cgroups_gone(void *arg)
{
	struct soak_verdict *v = arg;

	return victims_dying_cgroups() <= v->dying;
}

void soak_verdict_begin(struct soak_verdict *v)
{
	unsigned int i;
	int kind;

	if (!witness_present())
		die("no witness: is kng_witness.ko loaded, debugfs mounted?");
	for (kind = 0; kind < SOAK_KINDS; kind++) {
		char name[64];

		snprintf(name, sizeof(name), "bpf_%s_release_dtor", kinds[kind]);
		if (!witness_watches(name))
			die("the witness does not watch %s", name);
	}
	v->first = v->ctl;
	v->taken = guard_count("taken");
	v->not_last = guard_count("not_last");
	for (i = 0; i < sizeof(must_be_0) / sizeof(*must_be_0); i++)
		v->must_be_0[i] = guard_count(must_be_0[i]);
	for (i = 0; i < LASTING; i++)
		v->users[i] = exercise_call(v->users_prog, 0, v->ctl.pid[i]);
	v->dying = victims_dying_cgroups();
	witness_reset();
}

static void give_balance(const struct soak_verdict *v)
{
	long long not_last = guard_count("not_last") - v->not_last, left, sum = 0;
	struct balance b;
	int kind;

	for (kind = 0; kind < SOAK_KINDS; kind++) {
		b = balance_of(v, kind);
		left = b.created - b.released - b.destroyed;
		sum += left;
		tap_ok(b.created > 0 && left >= 0 &&
		       (kind != SOAK_A_MASK || !left),
		       "%s: created %lld == released %lld + destroyed %lld + not the last %lld",
		       kinds[kind], b.created, b.released, b.destroyed, left);
		note("%s: %lld destructors entered in NMI", kinds[kind], b.in_nmi);
	}
	tap_ok(sum == not_last,
	       "not the last %lld, and so says the guard (%lld)", sum, not_last);
}

static void give_nmi(const struct soak_verdict *v)
{
	long long work = witness_count("put_task_struct_rcu_user").nmi +
			 witness_count("css_release").nmi +
			 witness_count("call_rcu").nmi;
	long long entered = 0;
	int kind;

	for (kind = 0; kind < SOAK_KINDS; kind++)
		entered += dtors(kind).nmi;
	if (v->opt->expect_nmi == DTORS_SOME)
		tap_ok(work > 0,
		       "releases or destructors worked in NMI (%lld; %lld destructors entered)",
		       work, entered);
	else if (v->opt->expect_nmi == DTORS_STUBBED)
		tap_ok(!work, "no work of releases or destructors in NMI (%lld)",
		       work);
}

long long soak_runs(const struct soak_verdict *v, enum soak_context context)
{
	long long n = 0;
	unsigned int cpu;

	for (cpu = 0; cpu < SOAK_CPUS; cpu++)
		n += v->ctl.lane[cpu][context].runs;
	return n;
}

void soak_verdict_wait(struct soak_verdict *v)
{
	wait_until(balanced, v, v->opt->timeout_ms);
}

static void give_guard(const struct soak_verdict *v)
{
	unsigned int i;
	long long n;

	for (i = 0; i < sizeof(must_be_0) / sizeof(*must_be_0); i++) {
		n = guard_count(must_be_0[i]) - v->must_be_0[i];
		if (n)
			tap_ok(false, "the guard says %s: %lld", must_be_0[i], n);
	}
}

static struct soak_lane lane_of(const struct soak_verdict *v, int context)
{
	struct soak_lane sum = { 0 };
	unsigned int cpu, i;

	for (cpu = 0; cpu < SOAK_CPUS; cpu++) {
		const struct soak_lane *lane = &v->ctl.lane[cpu][context];

		sum.runs += lane->runs;
		sum.acts += lane->acts;
		sum.claimed += lane->claimed;
		sum.absent += lane->absent;
		sum.locked += lane->locked;
		sum.failed += lane->failed;
		if (lane->failed)
			sum.last_error = lane->last_error;
		for (i = 0; i < SOAK_KINDS; i++)
			sum.created[i] += lane->created[i];
		for (i = 0; i < SOAK_DEEDS; i++)
			sum.done[i] += lane->done[i];
	}
	return sum;
}

/* Kinds of maps with an operation that nobody tried. */
static unsigned int untried(const __u64 *done)
{
	unsigned int place, op, n = 0;

	for (place = 0; place < SOAK_PLACES; place++)
		for (op = SOAK_FILL; op < SOAK_PAIR; op++)
			n += !done[place * 8 + op];
	return n;
}

/* One number for each act, so that nothing but the seed decides on acts. */
static bool in_step(const struct soak_verdict *v, int context)
{
	unsigned int cpu;

	for (cpu = 0; cpu < SOAK_CPUS; cpu++) {
		const struct soak_lane *lane = &v->ctl.lane[cpu][context];

		if (lane->state != v->first.lane[cpu][context].state +
				   lane->acts * SOAK_STEP)
			return false;
	}
	return true;
}

static void give_lanes(const struct soak_verdict *v)
{
	const char *const names[] = {
		"task", "softirq",
		v->opt->irqsoff ? "sched_switch" : "hardirq", "NMI"
	};
	__u64 done[SOAK_DEEDS] = { 0 };
	unsigned int c, i, idle = 0;
	struct soak_lane lane;
	long long failed = 0;
	bool steady = true;

	for (c = SOAK_TASK; c <= SOAK_NMI; c++) {
		lane = lane_of(v, c);
		note("%s: runs %llu acts %llu created %llu claimed %llu absent %llu locked %llu failed %llu (last error %lld) untried %u",
		     names[c], lane.runs, lane.acts,
		     lane.created[0] + lane.created[1] + lane.created[2],
		     lane.claimed, lane.absent, lane.locked, lane.failed,
		     lane.last_error, untried(lane.done));
		idle += !lane.acts;
		failed += lane.failed;
		steady &= in_step(v, c);
		for (i = 0; i < SOAK_DEEDS; i++)
			done[i] += lane.done[i];
	}
	tap_ok(!idle && !failed, "all contexts acted, and no operation failed (%lld)",
	       failed);
	tap_ok(steady, "each act drew one number, on each CPU in each context");
	tap_ok(!untried(done), "each operation was tried on each kind of map");
}

void soak_verdict_give(struct soak_verdict *v)
{
	give_lanes(v);
	give_balance(v);
	give_nmi(v);
	give_guard(v);
	tap_ok(wait_until(users_as_before, v, v->opt->timeout_ms),
	       "the lasting tasks' own counts are as before");
}

void soak_verdict_end(struct soak_verdict *v)
{
	world_end();
	tap_ok(wait_until(cgroups_gone, v, v->opt->timeout_ms),
	       "all cgroups are gone");
}
