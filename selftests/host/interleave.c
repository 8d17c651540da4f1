// SPDX-License-Identifier: GPL-2.0-only
/*
 * All interleavings of a few CPUs and their NMIs, up to a number of switches.
 *
 * Each player is a coroutine. Before every access to shared memory (the shim's
 * kernel_access()) another one may go on instead: which, is a decision, and the
 * test goes through all sequences of decisions, depth first, by running the
 * players from the start again. This is the header's own code, not a model of
 * it. Memory is sequentially consistent, but in the scenarios that say so: there a
 * few loads may return older values, as far as the barriers allow (weak.h); which,
 * is a decision too.
 *
 * Players on the same CPU are contexts of it: a later one is an NMI that comes
 * at some access of the one before, or between its calls, and ends before that
 * goes on. The number of switches that are not such an end is bounded, as in
 * Musuvathi and Qadeer's CHESS (PLDI 2007): most bugs need two or three.
 */
#include <stdbool.h>
#include <stdint.h>

static void access_point(void);
static int64_t load_point(const void *word, int64_t value);
static void store_point(const void *word, int64_t value, bool full);
static void newest_point(const void *word);
static void rmb_point(void);
static void mb_point(void);
#define kernel_access() access_point()
#define kernel_weak_load(word, value)		load_point(word, value)
#define kernel_weak_store(word, value, full)	store_point(word, value, full)
#define kernel_weak_newest(word)		newest_point(word)
#define kernel_weak_rmb()			rmb_point()
#define kernel_weak_mb()			mb_point()
#include "players.h"
#include "fibers.h"
#include "weak.h"

struct scenario {
	const char *name;
	int jobs, second, held, switches;	/* @second: jobs in the second chunk */
	int older;		/* loads that may return an older value */
	bool spread;		/* each CPU's stack has jobs */
	struct {
		int cpu;
		const char *script;
	} players[MAX_PLAYERS];
};

static unsigned long accesses;

/* May @i run? Not while an NMI on its CPU does. */
static bool fiber_may_run(int i)
{
	int j;

	for (j = i + 1; j < (int)nr_players; j++)
		if (players[j].first_cpu == players[i].first_cpu && fiber_is_running(j))
			return false;
	return true;
}

static void fiber_goes_on(int i)
{
	kernel_cpu = players[i].cpu;
}

static void fiber_runs(int i)
{
	play(&players[i]);
}

static void access_point(void)
{
	if (fiber_now == NO_FIBER)
		return;
	accesses++;
	note_length();
	fiber_switch();
}

static struct weak_cpu *weak_cpu(void)
{
	return &weak_cpus[players[fiber_now].first_cpu];
}

static int64_t load_point(const void *address, int64_t value)
{
	int i = fiber_now == NO_FIBER ? -1 : weak_find(address);

	if (i < 0)
		return value;
	return weak_loaded(weak_cpu(), i, decide(weak_choices(weak_cpu(), i)));
}

static void store_point(const void *address, int64_t value, bool full)
{
	int i = fiber_now == NO_FIBER ? -1 : weak_find(address);

	if (i >= 0 && !weak_stored(weak_cpu(), i, value, full))
		fail("no end in sight");
}

static void newest_point(const void *address)
{
	int i = fiber_now == NO_FIBER ? -1 : weak_find(address);

	if (i >= 0)
		weak_loaded(weak_cpu(), i, 0);
}

static void rmb_point(void)
{
	if (fiber_now != NO_FIBER)
		weak_rmb(weak_cpu());
}

static void mb_point(void)
{
	if (fiber_now != NO_FIBER)
		weak_mb(weak_cpu());
}

static void weak_start(int older)
{
	u32 i;

	weak_begin(older);
	weak = older;
	if (!older)
		return;
	weak_add(&pool.total, pool.total.counter);
	for (i = 0; i <= nr_cpus; i++) {
		weak_add(&pool.stack[i].head, pool.stack[i].head.counter);
		weak_add(&pool.stack[i].pushed, pool.stack[i].pushed.counter);
	}
}

static void run_call(struct player *player, struct call *call)
{
	(void)player;
	call_pool(call);
}

static void run(const struct scenario *scenario)
{
	players_start(scenario->jobs, scenario->second, scenario->held);
	weak_start(scenario->older);
	fibers_run(nr_players, scenario->switches);
	if (broken)
		return;
	players_end();
}

static void explore(const struct scenario *scenario)
{
	unsigned long before = runs;
	unsigned int i;

	nr_players = 0;
	spread = scenario->spread;
	for (i = 0; i < MAX_PLAYERS && scenario->players[i].script; i++) {
		players[i].script = scenario->players[i].script;
		players[i].first_cpu = scenario->players[i].cpu;
		nr_players++;
	}
	nr_cpus = count_cpus();
	fibers_begin();
	do {
		run(scenario);
	} while (!broken && fibers_next());

	if (broken)
		tap_diag("%s", broken);
	tap_ok(!broken && runs - before > 1, "%s: all %lu interleavings with up to %d switches",
	       scenario->name, runs - before, scenario->switches);
}

int main(int argc, char **argv)
{
	static const struct scenario scenarios[] = {
		{ "ABA by another CPU", 3, 0, 0, 4, 0, false, { { 0, "p" }, { 1, "ppr" } } },
		{ "ABA on a CPU's own stack", 3, 0, 0, 4, 0, false, { { 0, "p" }, { 1, "p0pr" } } },
		{ "two CPUs, pop and push", 2, 0, 0, 4, 0, false,
		  { { 0, "prpr" }, { 1, "prpr" } } },
		{ "two CPUs, ABA each", 4, 0, 0, 4, 0, true, { { 0, "ppr" }, { 1, "pprp" } } },
		{ "three CPUs, one job", 1, 0, 0, 3, 0, false,
		  { { 0, "pr" }, { 1, "pr" }, { 2, "p" } } },
		{ "three CPUs, never empty", 3, 0, 0, 3, 0, true,
		  { { 0, "prpr" }, { 1, "pr" }, { 2, "pr" } } },
		{ "a job moves behind a pop", 2, 0, 0, 5, 0, true, { { 0, "p" }, { 1, "p2r" } } },
		{ "a job moves behind a pop, and again", 2, 0, 0, 4, 0, true,
		  { { 0, "p" }, { 1, "p2rp1r" } } },
		{ "jobs move around a pop", 3, 0, 0, 3, 0, true,
		  { { 0, "p" }, { 1, "p2r" }, { 2, "p0r" } } },
		{ "a push, a pop, ABA", 5, 0, 1, 3, 0, false,
		  { { 0, "r" }, { 1, "p" }, { 0, "ppr" } } },
		{ "a push ends on another CPU", 4, 0, 1, 3, 0, true,
		  { { 0, "r" }, { 1, "1r0pr" }, { 0, "pr" } } },
		{ "chains", 6, 0, 2, 3, 0, false, { { 0, "c" }, { 1, "cp" }, { 0, "pp" } } },
		{ "a chunk is added", 0, 0, 0, 3, 0, false,
		  { { 0, "a" }, { 1, "ppr" }, { 0, "pr" } } },
		{ "an NMI, and another CPU", 4, 0, 0, 3, 0, false,
		  { { 0, "pr" }, { 0, "ppr" }, { 1, "pr" } } },
		{ "an NMI on each of two CPUs", 5, 0, 0, 2, 0, true,
		  { { 0, "p" }, { 0, "pr" }, { 1, "pr" }, { 1, "ppr" } } },
		{ "an NMI in an NMI, and another CPU", 5, 0, 0, 2, 0, false,
		  { { 0, "pr" }, { 0, "pr" }, { 0, "ppr" }, { 1, "pr" } } },
		{ "counted while jobs move", 3, 0, 0, 4, 0, true, { { 0, "n" }, { 1, "p0r1pr" } } },
		{ "counted, two CPUs pop and push", 2, 0, 0, 3, 0, true,
		  { { 0, "n" }, { 1, "pr" }, { 2, "p0r" } } },
		{ "counted while a chunk comes and goes", 1, 0, 0, 3, 0, false,
		  { { 0, "amsb1sbf" }, { 1, "n" } } },
		{ "counted while jobs retire", 1, 2, 1, 3, 0, false,
		  { { 0, "msbf" }, { 1, "n" }, { 2, "r" } } },
		{ "a sweep, a pop", 2, 2, 0, 4, 0, false, { { 0, "msb" }, { 1, "p" } } },
		{ "a sweep that keeps all, a pop", 2, 0, 0, 4, 0, false,
		  { { 0, "sb" }, { 1, "p" } } },
		{ "a sweep of two stacks, a pop", 2, 0, 0, 4, 0, true,
		  { { 0, "sb1sb" }, { 1, "p" } } },
		{ "there, back and there, a pop", 2, 0, 0, 4, 0, false,
		  { { 0, "sbs" }, { 1, "p" } } },
		{ "a sweep of one job, pops", 1, 0, 0, 3, 0, false,
		  { { 0, "sbsb" }, { 1, "pr" }, { 0, "p" } } },
		{ "sweeps, ABA", 3, 0, 0, 3, 0, false, { { 0, "sb" }, { 1, "ppr" } } },
		{ "sweeps, two CPUs pop and push", 2, 0, 0, 2, 0, false,
		  { { 0, "sbsb" }, { 1, "p0rp" }, { 0, "pr" } } },
		{ "a chunk goes: all idle", 1, 2, 0, 4, 0, false, { { 0, "msbf" }, { 1, "p" } } },
		{ "a chunk goes, two CPUs pop", 1, 2, 0, 3, 0, false,
		  { { 0, "msbf" }, { 1, "p" }, { 1, "p" } } },
		{ "a chunk goes, its jobs come back", 1, 2, 1, 3, 0, false,
		  { { 0, "msbf1sbf" }, { 1, "r" }, { 1, "rp" } } },
		{ "a chunk goes, a chain comes back", 4, 3, 2, 4, 0, false,
		  { { 0, "msbf" }, { 1, "c" } } },
		{ "a chunk goes, pop and push", 1, 2, 0, 3, 0, true,
		  { { 0, "msb1sbf" }, { 1, "prp0r" } } },
		{ "a chunk goes, ABA", 2, 2, 0, 2, 0, false,
		  { { 0, "msbf" }, { 1, "ppr" }, { 0, "p" } } },
		{ "a chunk goes and comes again", 1, 2, 0, 4, 0, false,
		  { { 0, "msbfa" }, { 1, "0prp" } } },
		{ "a chunk comes, goes, comes, goes", 1, 0, 0, 3, 0, false,
		  { { 0, "am1sbfam1sbf" }, { 1, "prpr" } } },
		{ "a sweep in small steps, left half done", 2, 2, 0, 3, 0, false,
		  { { 0, "mSSbSsBbf" }, { 1, "ppr" } } },
		{ "a sweep, an NMI on its CPU", 1, 2, 0, 4, 0, false,
		  { { 0, "msbf" }, { 0, "ppr" } } },
		{ "a sweep, an NMI on its CPU, another CPU", 1, 2, 0, 2, 0, false,
		  { { 0, "msbf" }, { 0, "pr" }, { 1, "ppr" } } },
		{ "a sweep, a pop with an NMI", 1, 2, 0, 3, 0, false,
		  { { 0, "msbf" }, { 1, "p" }, { 1, "pr" } } },
		{ "a sweep, a push with an NMI", 1, 2, 1, 4, 0, false,
		  { { 0, "msbf" }, { 1, "r" }, { 1, "pr" } } },
		{ "older values: a job moves behind a pop", 2, 0, 0, 3, 2, true,
		  { { 0, "p" }, { 1, "p2r" } } },
		{ "older values: a job moves, an NMI", 3, 0, 0, 3, 2, true,
		  { { 0, "p" }, { 0, "p" }, { 1, "p2r" } } },
		{ "older values: a sweep, a pop", 2, 0, 0, 2, 2, false,
		  { { 0, "sb" }, { 1, "p" } } },
		{ "older values: ABA", 3, 0, 0, 3, 2, false, { { 0, "p" }, { 1, "p0pr" } } },
		{ "older values: counted while jobs move", 4, 0, 1, 3, 2, true,
		  { { 0, "n" }, { 1, "p0r1r" } } },
		{ "older values: counted while jobs retire", 2, 2, 0, 2, 2, true,
		  { { 0, "n" }, { 1, "msb0sb" } } },
	};
	unsigned int i;

	tap_start(argc, argv);
	for (i = 0; i < ARRAY_SIZE(scenarios); i++)
		explore(&scenarios[i]);
	tap_ok(nulls, "pop has met the empty pool, too: %lu times", nulls);
	tap_ok(freed && awaited, "chunks were freed, %lu times; %lu times a pop was waited for",
	       freed, awaited);
	tap_ok(counts, "jobs were counted, %lu times", counts);
	tap_ok(weak_loads, "loads returned older values, %lu times", weak_loads);
	tap_diag("%lu runs, %lu accesses", runs, accesses);
	return tap_done();
}
