// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads and attaches one of the programs of exposed.bpf.c, and has it loaded until
 * killed:
 *
 *   exposed --variant update|release|lru|storage|plain|inner|tail|fentry|kprobe|multi|
 *                     perf_event|software|sched|syscall
 */
#include <errno.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "common.h"
#include "exposed.skel.h"
#include "options.h"

/* Events that never come: a breakpoint on what nobody writes, a counter of nothing. */
static struct bpf_link *attach(struct bpf_program *prog)
{
	static long nobody_writes;
	struct perf_event_attr attr = { .size = sizeof(attr), .sample_period = 1 };
	int fd;

	if (bpf_program__type(prog) != BPF_PROG_TYPE_PERF_EVENT)
		return bpf_program__attach(prog);
	if (!strcmp(bpf_program__name(prog), "on_software")) {
		attr.type = PERF_TYPE_SOFTWARE;
		attr.config = PERF_COUNT_SW_DUMMY;
	} else {
		attr.type = PERF_TYPE_BREAKPOINT;
		attr.bp_type = HW_BREAKPOINT_W;
		attr.bp_len = sizeof(nobody_writes);
		attr.bp_addr = (unsigned long)&nobody_writes;
	}
	fd = syscall(__NR_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? NULL : bpf_program__attach_perf_event(prog, fd);
}

static bool call_by_tail(struct exposed_bpf *skel)
{
	__u32 key = 1, fd = bpf_program__fd(skel->progs.on_tail_called);

	return !bpf_map_update_elem(bpf_map__fd(skel->maps.exp_calls), &key, &fd, 0);
}

int main(int argc, char **argv)
{
	struct options opt = { .variant = "update" };
	struct bpf_program *prog, *chosen = NULL;
	struct exposed_bpf *skel;

	options_parse(&opt, argc, argv);
	skel = exposed_bpf__open();
	if (!skel)
		die("the skeleton does not open");
	bpf_object__for_each_program(prog, skel->obj) {
		if (!strcmp(bpf_program__name(prog) + strlen("on_"), opt.variant))
			chosen = prog;
		else
			bpf_program__set_autoload(prog, false);
	}
	if (!chosen)
		die("--variant %s: no such program", opt.variant);
	if (chosen == skel->progs.on_tail)
		bpf_program__set_autoload(skel->progs.on_tail_called, true);
	if (exposed_bpf__load(skel) || !attach(chosen) ||
	    (chosen == skel->progs.on_tail && !call_by_tail(skel)))
		die("%s does not load or attach: %s", opt.variant, strerror(errno));
	marker("%s is loaded", opt.variant);
	for (;;)
		pause();
}
