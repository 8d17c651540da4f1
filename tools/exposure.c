// SPDX-License-Identifier: GPL-2.0-only
/*
 * exposure: which of the loaded programs could hang this machine by dropping the last
 * reference to a kernel object. Needs no module, changes nothing.
 */
#include <stdlib.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "cmd.h"
#include "exposure.h"
#include "kernel.h"
#include "out.h"
#include "owners.h"
#include "reach.h"

static int worst_first(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->verdict != y->verdict)
		return x->verdict < y->verdict ? 1 : -1;
	if (x->prog->worst->context != y->prog->worst->context)
		return x->prog->worst->context < y->prog->worst->context ? 1 : -1;
	return x->prog->id < y->prog->id ? -1 : 1;
}

static void judge(struct report *report)
{
	struct finding *finding;
	size_t i;

	report->verdict = NOT_EXPOSED;
	for (i = 0; i < report->progs.nr; i++) {
		const struct prog *prog = &report->progs.prog[i];

		if (!prog->worst || prog->worst->context == IN_OTHER)
			continue;
		report->finding = xrealloc(report->finding, report->nr + 1,
					   sizeof(*report->finding));
		finding = &report->finding[report->nr++];
		finding->prog = prog;
		danger_of(prog, &report->maps, &report->guard, &finding->danger);
		finding->verdict = !*finding->danger.drops ? NOT_EXPOSED :
				   finding->danger.guarded ? GUARDED : EXPOSED;
		if (finding->verdict > report->verdict)
			report->verdict = finding->verdict;
	}
	if (report->nr)
		qsort(report->finding, report->nr, sizeof(*report->finding), worst_first);
}

static int used_by_worst_first(const void *a, const void *b)
{
	const struct map_use *x = a, *y = b;

	/* Findings are in that order. */
	if (x->by != y->by)
		return !x->by ? 1 : !y->by ? -1 : x->by < y->by ? -1 : 1;
	return x->map->id < y->map->id ? -1 : 1;
}

static void see_uses(struct report *report)
{
	struct map_use *use;
	size_t i, k;

	for (i = 0; i < report->maps.nr; i++) {
		const struct map *map = &report->maps.map[i];

		if (!fields_own(&map->fields))
			continue;
		report->use = xrealloc(report->use, report->nr_uses + 1, sizeof(*report->use));
		use = &report->use[report->nr_uses++];
		*use = (struct map_use){ .map = map };
		for (k = 0; k < report->nr && !use->by; k++)
			if (prog_uses(report->finding[k].prog, map->id))
				use->by = &report->finding[k];
	}
	if (report->nr_uses)
		qsort(report->use, report->nr_uses, sizeof(*report->use), used_by_worst_first);
}

static void look(struct report *report)
{
	bool blind;

	libbpf_set_print(NULL);
	guard_read(&report->guard, "");
	kernel_get();
	blind = maps_read(&report->maps);
	if (!blind) {
		places_read_links(&report->places);
		owners_read(&report->places);
		blind = progs_read(&report->progs, &report->places);
	}
	if (!blind) {
		reach_add(&report->progs, &report->maps);
		judge(report);
		see_uses(report);
		return;
	}
	report->verdict = UNKNOWN;
	out_note_unseen("maps and programs: bpf(2) does not list them%s",
			geteuid() ? ": run as root" : " (a container or lockdown)");
}

int cmd_exposure(const struct options *opt)
{
	static const int statuses[] = {
		[NOT_EXPOSED] = EXIT_GOOD, [GUARDED] = EXIT_GOOD, [EXPOSED] = EXIT_BAD,
		[UNKNOWN] = EXIT_UNKNOWN,
	};
	struct report report = { 0 };

	look(&report);
	if (opt->json)
		out_json(exposure_json(&report));
	else
		exposure_print(&report);
	return statuses[report.verdict];
}
