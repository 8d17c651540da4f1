/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs on perf events. */
#ifndef KNG_EVENT_H
#define KNG_EVENT_H

#include <bpf/libbpf.h>

struct perf_event_attr;

/* Has the program run at each overflow of the event on this CPU. Dies if there is none. */
struct bpf_link *event_attach(const struct bpf_program *prog,
			      struct perf_event_attr *attr, int cpu);

/* An event that is the CPU's cycles, so many of them. */
struct bpf_link *event_attach_cycles(const struct bpf_program *prog,
				     unsigned long long period, int cpu);

#endif /* KNG_EVENT_H */
