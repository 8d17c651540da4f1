// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every call of the pool is interrupted at every one of its instructions, by
 * every short sequence of other calls: on the same CPU as by an NMI, and with
 * the same effect as by another CPU while this one stalls. Two NMIs deep, the
 * second one at every instruction of the first. What is checked is in ledger.h.
 */
#include "step.h"
#include "tap.h"

#ifdef HAVE_STEP

#include "players.h"

/* Player 0 is interrupted by player 1, and that by player 2. */
static struct step interruption[MAX_PLAYERS];
static unsigned long visits, steps;

static void every_instruction(void *arg)
{
	(void)arg;
	steps++;
	audit();
}

static void visit(void *arg)
{
	struct player *player = arg;

	visits++;
	play(player + 1);
}

static void run_call(struct player *player, struct call *call)
{
	int i = player - players;
	u32 cpu = kernel_cpu;

	kernel_cpu = player->cpu;
	if (i + 1 < (int)nr_players)
		step_run(&interruption[i], call_pool, call);
	else
		call_pool(call);
	kernel_cpu = cpu;
}

/* Returns false when player 0 ended before the visit. */
static bool run(int nr, int second, int held, long at0, long at1)
{
	unsigned int i;

	players_start(nr, second, held);
	for (i = 0; i < nr_players; i++)
		interruption[i] = (struct step) {
			.at = i ? at1 : at0,
			.visit = visit,
			.every = i ? NULL : every_instruction,
			.arg = &players[i],
		};
	play(&players[0]);
	players_end();
	return step_visited(&interruption[0]);
}

static bool complain(int nr, int second, int held, long at0, long at1)
{
	tap_diag("%s", broken);
	tap_diag("jobs %d + %d, each player holds %d; %s, interrupted after instruction %ld by %s",
		 nr, second, held, players[0].script, at0, players[1].script);
	if (nr_players > 2)
		tap_diag("interrupted after instruction %ld by %s", at1,
			 players[2].script);
	return false;
}

static bool one_deep(const char *outer, const char *nmi)
{
	int nr, held;
	long at;

	nr_players = 2;
	players[0].script = outer;
	players[1].script = nmi;
	nr_cpus = count_cpus();
	/* With two CPUs a pop may go round the stacks, which takes long. */
	for (nr = nr_cpus - 1; nr <= 4; nr += nr ? nr : 1)
		for (held = 0; held <= 1 && held * 2 <= nr; held += nr_cpus)
			for (at = (nr + held) % STEP_STRIDE;
			     run(nr, 0, held, at, -1) || broken; at += STEP_STRIDE)
				if (broken)
					return complain(nr, 0, held, at, -1);
	return true;
}

static bool two_deep(const char *outer, const char *nmi, const char *nested,
		     int nr, int second, int held)
{
	/* All pairs of instructions take a minute: one in five, unless asked. */
	long stride = getenv("KNG_SLOW") ? STEP_STRIDE : STEP_STRIDE + 4;
	long at0, at1;

	nr_players = 3;
	players[0].script = outer;
	players[1].script = nmi;
	players[2].script = nested;
	nr_cpus = count_cpus();
	for (at0 = 0;; at0 += STEP_STRIDE) {
		bool visited = true;

		for (at1 = at0 / STEP_STRIDE % stride; visited; at1 += stride) {
			if (!run(nr, second, held, at0, at1) && !broken)
				return true;
			if (broken)
				return complain(nr, second, held, at0, at1);
			visited = step_visited(&interruption[1]);
		}
	}
}

static void test_one_deep(const char *outer, const char *what)
{
	static const char *const nmi[] = {
		"p", "pp", "pr", "ppr", "pprr", "ppRR", "ppc", "r", "c", "cp", "rpr", "a", "apr",
		/* As from another CPU: theft, and jobs that change stacks. */
		"1p", "1ppr", "1p0r", "p1r0ppr", "1r", "1a", "n",
	};
	unsigned long before = visits;
	bool good = true;
	unsigned int i;

	for (i = 0; good && i < ARRAY_SIZE(nmi); i++) {
		/* Two calls of add are the caller's to serialise. */
		if (strchr(outer, 'a') && strchr(nmi[i], 'a'))
			continue;
		/* These have many instructions. */
		if (strchr("1na", outer[0]) && i % 3)
			continue;
		good = one_deep(outer, nmi[i]);
	}
	tap_ok(good && visits > before, "%s, interrupted at each instruction: %lu NMIs",
	       what, visits - before);
}

static void test_two_deep(const char *outer, const char *what)
{
	static const struct {
		const char *nmi, *nested;
		int nr, held;
	} cases[] = {
		{ "p", "ppr", 4, 0 },
		{ "pr", "r", 6, 1 },
		{ "cp", "ppr", 6, 1 },
	};
	unsigned long before = visits;
	bool good = true;
	unsigned int i;

	for (i = 0; good && i < ARRAY_SIZE(cases); i++)
		good = two_deep(outer, cases[i].nmi, cases[i].nested,
				cases[i].nr, 0, cases[i].held);
	tap_ok(good && visits > before, "%s, by an NMI that is itself interrupted at each instruction: %lu NMIs",
	       what, visits - before);
}

/* The sweeper, interrupted; and others, interrupted by a sweep of another CPU. */
static void test_sweeps(void)
{
	static const struct {
		const char *outer, *nmi, *nested;
		int nr, second, held;
	} cases[] = {
		{ "sb", "p", NULL, 2, 0, 0 },
		{ "sb", "1p", NULL, 2, 0, 0 },
		{ "sb1sb", "1p0r", NULL, 2, 0, 0 },
		{ "msb1sbf", "n", NULL, 1, 2, 0 },
		{ "n", "msb1sbf", NULL, 1, 2, 0 },
		{ "1p", "sb1sb", NULL, 2, 0, 0 },
		{ "1p", "sb", "1p0r", 2, 0, 0 },
		{ "sb", "ppr", NULL, 2, 0, 0 },
		{ "msbf", "pr", NULL, 1, 2, 0 },
		{ "msbf", "ppr", NULL, 1, 2, 0 },
		{ "msbf", "r", NULL, 2, 2, 1 },
		{ "msbfa", "c", NULL, 4, 2, 2 },
		{ "amsbf", "ppr", NULL, 1, 0, 0 },
		{ "p", "s", NULL, 2, 0, 0 },
		{ "p", "sb", NULL, 1, 0, 0 },
		{ "p", "msbf", NULL, 1, 2, 0 },
		{ "p", "msbfa", NULL, 0, 2, 0 },
		{ "p", "S", NULL, 2, 0, 0 },
		{ "r", "msbf", NULL, 2, 2, 1 },
		{ "c", "msbf", NULL, 4, 2, 2 },
		{ "sp", "b", NULL, 1, 0, 0 },
		{ "sp", "B", NULL, 2, 0, 0 },
		{ "sp", "bs", NULL, 2, 0, 0 },
		{ "msppr", "bf", NULL, 1, 2, 0 },
		{ "p", "sb", "p", 1, 0, 0 },
		{ "r", "ms", "r", 2, 2, 1 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned long before = visits;
		const char *nested = cases[i].nested;
		const char *by = "", *third = "";
		long at = i % STEP_STRIDE;
		bool good = true;

		/* One deep if there is no third player. */
		players[0].script = cases[i].outer;
		players[1].script = cases[i].nmi;
		nr_players = 2;
		nr_cpus = count_cpus();
		while (good && !nested) {
			if (!run(cases[i].nr, cases[i].second, cases[i].held, at, -1) &&
			    !broken)
				break;
			if (broken)
				good = complain(cases[i].nr, cases[i].second,
						cases[i].held, at, -1);
			at += STEP_STRIDE;
		}
		if (nested) {
			by = ", that by ";
			third = nested;
			good = two_deep(cases[i].outer, cases[i].nmi, nested,
					cases[i].nr, cases[i].second, cases[i].held);
		}
		tap_ok(good && visits > before, "%s of %d + %d jobs, by %s, at each instruction%s%s: %lu times",
		       cases[i].outer, cases[i].nr, cases[i].second, cases[i].nmi,
		       by, third, visits - before);
	}
}

int main(int argc, char **argv)
{
	tap_start(argc, argv);
	step_init();

	test_one_deep("p", "pop");
	test_one_deep("r", "push");
	test_one_deep("c", "push of a chain");
	test_one_deep("a", "add");
	test_one_deep("1p", "pop from another CPU's stack");
	test_one_deep("n", "count");

	test_two_deep("p", "pop");
	test_two_deep("r", "push");

	test_sweeps();

	tap_ok(freed && awaited, "chunks were freed, %lu times; %lu times a pop was waited for",
	       freed, awaited);
	tap_ok(counts, "jobs were counted, %lu times", counts);
	tap_ok(nulls, "pop has met the empty pool, too: %lu times", nulls);
	tap_diag("%lu runs, %lu instructions", runs, steps);
	return tap_done();
}

#else /* HAVE_STEP */

int main(int argc, char **argv)
{
	tap_start(argc, argv);
	return tap_skip_all("interrupts at each instruction: needs x86-64 without TSan");
}

#endif /* HAVE_STEP */
