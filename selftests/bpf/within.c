// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to slots while the guard is at work on them, in NMI:
 *
 *   within --variant nested|raced --source fire
 *   within --variant nmi --source at
 *
 * For the second, somebody has armed kng_nmi_at.ko for more NMIs than there will be.
 */
#include <string.h>

#include "common.h"
#include "event.h"
#include "rounds.h"
#include "within.skel.h"

/* The outer program and the one within: on a PMU's NMI and another, or an NMI and a tracepoint. */
static void choose(struct within_bpf *skel, bool nmi_in_nmi)
{
	bpf_program__set_autoload(skel->progs.on_perf_event, nmi_in_nmi);
	bpf_program__set_autoload(skel->progs.on_inner_nmi, nmi_in_nmi);
	bpf_program__set_autoload(skel->progs.on_nmi, !nmi_in_nmi);
	bpf_program__set_autoload(skel->progs.on_module_get, !nmi_in_nmi);
}

int main(int argc, char **argv)
{
	struct options opt = EXERCISE_OPTIONS;
	struct exercise ex;
	struct within_bpf *skel;
	bool nmi_in_nmi;
	int cpu;

	opt.kptr = KNG_FOREIGN;
	opt.variant = "nested";
	options_parse(&opt, argc, argv);
	if (opt.rounds * opt.slots > KNG_SLOTS_MAX)
		die("--rounds %u, --slots %u: at most %d in all", opt.rounds,
		    opt.slots, KNG_SLOTS_MAX);
	nmi_in_nmi = !strcmp(opt.variant, "nmi");
	cpu = exercise_begin(&opt);
	skel = within_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	exercise_conf(&skel->rodata->conf, &opt);
	*(__u32 *)&skel->rodata->races = !nmi_in_nmi && options_variant(&opt, "nested", "raced");
	choose(skel, nmi_in_nmi);
	if (!exercise_load(skel->skeleton, "within"))
		return tap_done();
	if (nmi_in_nmi)
		skel->links.on_perf_event =
			event_attach_cycles(skel->progs.on_perf_event,
					    1000ULL * opt.period_us, cpu);
	ex = exercise_of(skel->skeleton, &skel->bss->ctl, &opt, "within");
	ex.within = &skel->bss->within;
	return rounds_run(&ex);
}
