// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common.h"
#include "event.h"

struct bpf_link *event_attach(const struct bpf_program *prog,
			      struct perf_event_attr *attr, int cpu)
{
	struct bpf_link *link;
	int fd;

	fd = syscall(__NR_perf_event_open, attr, -1, cpu, -1,
		     PERF_FLAG_FD_CLOEXEC);
	link = fd < 0 ? NULL : bpf_program__attach_perf_event(prog, fd);
	if (!link)
		die("no perf event of type %u: %s", attr->type, strerror(errno));
	return link;
}

struct bpf_link *event_attach_cycles(const struct bpf_program *prog,
				     unsigned long long period, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE, .size = sizeof(attr),
		.config = PERF_COUNT_HW_CPU_CYCLES,
		.config1 = 1,	/* arm64: all 64 bits of the counter */
		.sample_period = period,
	};

	return event_attach(prog, &attr, cpu);
}
