// SPDX-License-Identifier: GPL-2.0-only
/*
 * The NMI program as each type that can be in NMI:
 *
 *   progtypes --variant tp_btf|raw_tp|tp|fentry|perf_event|pmu|sched_switch --last \
 *             --source at [--release]
 *
 * It overwrites array values, or with --release takes the pointers out and
 * releases them, where the kernel lets programs of that type do so.
 *
 * perf_event needs no NMI from outside: a hardware breakpoint on the function
 * --at raises an exception wherever that is called. On x86 (#DB) the kernel treats it
 * as an NMI; on arm64 it only has interrupts masked. Nor does sched_switch, which is no
 * NMI at all. Their --source is "break", whatever was asked for.
 *
 * pmu is the same program on the counter of CPU cycles. With --source at the counter
 * overflows where kng_nmi_at.ko (pmu=Y) makes it. With any other source it does so by
 * itself, each --period-us (where a cycle takes a nanosecond, as in QEMU).
 */
#include <string.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>

#include "common.h"
#include "event.h"
#include "rounds.h"
#include "progtypes.skel.h"

#ifdef __aarch64__
#define BREAKPOINT_LEN HW_BREAKPOINT_LEN_4	/* an instruction */
#else
#define BREAKPOINT_LEN sizeof(long)
#endif

/* Cycles that do not pass within a test; nmi_pmu.h relies on it. */
#define NEVER (1ULL << 40)

/* Address of a kernel function; 0 if there is none of that name. */
static unsigned long long kernel_symbol(const char *wanted)
{
	unsigned long long addr, found = 0;
	char line[512], name[256];
	FILE *file;

	file = fopen("/proc/kallsyms", "r");
	if (!file)
		return 0;
	while (!found && fgets(line, sizeof(line), file))
		if (sscanf(line, "%llx %*c %255s", &addr, name) == 2 &&
		    !strcmp(name, wanted))
			found = addr;
	fclose(file);
	return found;
}

static struct bpf_link *set_breakpoint(const struct bpf_program *prog,
				       const char *symbol, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(attr),
		.bp_type = HW_BREAKPOINT_X, .bp_len = BREAKPOINT_LEN,
		.bp_addr = kernel_symbol(symbol), .sample_period = 1,
	};

	if (!attr.bp_addr)
		die("--at %s: no such function", symbol);
	return event_attach(prog, &attr, cpu);
}

/* Only the program of the wanted type is loaded. Returns it. */
static const struct bpf_program *choose(struct bpf_object *obj, const char *type)
{
	const struct bpf_program *chosen = NULL;
	struct bpf_program *prog;
	const char *name;

	bpf_object__for_each_program(prog, obj) {
		name = bpf_program__name(prog);
		if (strncmp(name, "on_", 3))
			continue;
		if (!strcmp(name + 3, type))
			chosen = prog;
		else
			bpf_program__set_autoload(prog, false);
	}
	if (!chosen)
		die("--variant %s: no such type", type);
	return chosen;
}

int main(int argc, char **argv)
{
	struct options opt = EXERCISE_OPTIONS;
	struct exercise ex;
	const struct bpf_program *prog;
	struct progtypes_bpf *skel;
	bool breakpoint, counter;
	int cpu;

	opt.variant = "tp_btf";
	options_parse(&opt, argc, argv);
	breakpoint = !strcmp(opt.variant, "perf_event");
	counter = !strcmp(opt.variant, "pmu");
	if (breakpoint || !strcmp(opt.variant, "sched_switch") ||
	    (counter && opt.source != SOURCE_AT))
		opt.source = SOURCE_BREAK;
	cpu = exercise_begin(&opt);
	skel = progtypes_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	exercise_conf(&skel->rodata->conf, &opt);
	*(__u32 *)&skel->rodata->by_release = opt.release;
	prog = choose(skel->obj, counter ? "perf_event" : opt.variant);
	if (!exercise_load(skel->skeleton, opt.variant))
		return tap_done();
	if (breakpoint)
		skel->links.on_perf_event = set_breakpoint(prog, opt.at, cpu);
	if (counter)
		skel->links.on_perf_event =
			event_attach_cycles(prog, opt.source == SOURCE_AT ?
					    NEVER : 1000ULL * opt.period_us, cpu);
	ex = exercise_of(skel->skeleton, &skel->bss->ctl, &opt, opt.variant);
	ex.releases = opt.release;
	return rounds_run(&ex);
}
