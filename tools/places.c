// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/perf_event.h>

#include <bpf/bpf.h>

#include "kernel.h"
#include "out.h"
#include "places.h"

#define MAX_ADDRESSES 1024

/*
 * Known places, by what was read in Linux 6.12 to 7.3. A function may be reached from
 * NMI without being here: this finds what programs are usually attached to.
 */
static const struct {
	enum attach_kind kind;
	const char *pattern;
	enum context context;
	const char *why;
} known[] = {
	{ AT_TRACEPOINT, "nmi_handler", IN_NMI, "each NMI handler that returns" },
	{ AT_TRACEPOINT, "nmi_noise", IN_NMI, "osnoise measures NMIs" },
	{ AT_TRACEPOINT, "read_msr", IN_NMI, "the perf NMI handler reads MSRs" },
	{ AT_TRACEPOINT, "write_msr", IN_NMI, "the perf NMI handler writes MSRs" },
	{ AT_TRACEPOINT, "rdpmc", IN_NMI, "the perf NMI handler reads counters" },
	{ AT_TRACEPOINT, "page_fault_kernel", IN_NMI, "stacks are walked in NMI" },
	{ AT_TRACEPOINT, "console", IN_NMI, "printk() may be called in NMI" },
	{ AT_TRACEPOINT, "sched_*", IN_IRQSOFF, "the scheduler holds the runqueue lock" },
	{ AT_TRACEPOINT, "pelt_*", IN_IRQSOFF, "the scheduler holds the runqueue lock" },
	{ AT_TRACEPOINT, "contention_*", IN_IRQSOFF, "any lock may be held" },
	{ AT_TRACEPOINT, "rcu_*", IN_IRQSOFF, "RCU's locks may be held" },
	{ AT_TRACEPOINT, "workqueue_*", IN_IRQSOFF, "the pool's lock is held" },
	{ AT_TRACEPOINT, "timer_*", IN_IRQSOFF, "the timer base's lock may be held" },
	{ AT_TRACEPOINT, "hrtimer_*", IN_IRQSOFF, "the timer base's lock may be held" },
	{ AT_FUNCTION, "*nmi_handler*", IN_NMI, "an NMI handler" },
	{ AT_FUNCTION, "nmi_*", IN_NMI, "a part of the NMI's entry" },
	{ AT_FUNCTION, "*_nmi", IN_NMI, "a part of the NMI's entry" },
	{ AT_FUNCTION, "*_nmi_enter", IN_NMI, "a part of the NMI's entry" },
	{ AT_FUNCTION, "*_nmi_exit", IN_NMI, "a part of the NMI's entry" },
	{ AT_FUNCTION, "*perf_event_overflow*", IN_NMI, "a hardware counter has overflown" },
	{ AT_FUNCTION, "perf_output_*", IN_NMI, "a sample is written in NMI" },
	{ AT_FUNCTION, "perf_prepare_sample", IN_NMI, "a sample is written in NMI" },
	{ AT_FUNCTION, "perf_callchain*", IN_NMI, "stacks are walked in NMI" },
	{ AT_FUNCTION, "get_perf_callchain", IN_NMI, "stacks are walked in NMI" },
	{ AT_FUNCTION, "unwind_*", IN_NMI, "stacks are walked in NMI" },
	{ AT_FUNCTION, "copy_from_user_nofault", IN_NMI, "stacks are walked in NMI" },
	{ AT_FUNCTION, "*_pmu_handle_irq*", IN_NMI, "the PMU's handler" },
	{ AT_FUNCTION, "intel_pmu_*", IN_NMI, "called by the PMU's handler" },
	{ AT_FUNCTION, "amd_pmu_*", IN_NMI, "called by the PMU's handler" },
	{ AT_FUNCTION, "x86_pmu_*", IN_NMI, "called by the PMU's handler" },
	{ AT_FUNCTION, "irq_work_queue", IN_NMI, "NMI handlers call it" },
	{ AT_FUNCTION, "*_map_lookup_elem", IN_NMI, "programs in NMI call it" },
	{ AT_FUNCTION, "*_map_update_elem", IN_NMI, "programs in NMI call it" },
	{ AT_FUNCTION, "*_map_delete_elem", IN_NMI, "programs in NMI call it" },
	{ AT_FUNCTION, "bpf_*", IN_NMI, "programs in NMI may call it" },
	{ AT_FUNCTION, "__schedule", IN_IRQSOFF, "a part of the scheduler" },
	{ AT_FUNCTION, "*enqueue_task*", IN_IRQSOFF, "the scheduler holds the runqueue lock" },
	{ AT_FUNCTION, "*dequeue_task*", IN_IRQSOFF, "the scheduler holds the runqueue lock" },
	{ AT_FUNCTION, "*pick_next_task*", IN_IRQSOFF, "the scheduler holds the runqueue lock" },
	{ AT_FUNCTION, "try_to_wake_up", IN_IRQSOFF, "the scheduler's locks may be held" },
	{ AT_FUNCTION, "ttwu_*", IN_IRQSOFF, "the scheduler holds the runqueue lock" },
	{ AT_FUNCTION, "update_curr*", IN_IRQSOFF, "the scheduler holds the runqueue lock" },
	{ AT_FUNCTION, "sched_tick", IN_IRQSOFF, "the scheduler holds the runqueue lock" },
	{ AT_FUNCTION, "__queue_work", IN_IRQSOFF, "the pool's lock is held" },
	{ AT_FUNCTION, "insert_work", IN_IRQSOFF, "the pool's lock is held" },
	{ AT_FUNCTION, "rcu_*", IN_IRQSOFF, "RCU's locks may be held" },
	{ AT_STRUCT_OPS, "sched_ext_ops", IN_IRQSOFF, "the scheduler holds the runqueue lock" },
};

static void judge_perf_event(struct place *place, long long type)
{
	if (type == PERF_TYPE_SOFTWARE || type == PERF_TYPE_TRACEPOINT) {
		place->context = IN_IRQSOFF;
		place->why = "software events come with interrupts off";
		return;
	}
	place->context = IN_NMI;
	place->why = type == PERF_TYPE_BREAKPOINT ? "a breakpoint counts as an NMI" :
		     type < 0 ? "a hardware counter's NMI, or a breakpoint" :
		     "a hardware counter's NMI";
}

static void judge(struct place *place, long long detail)
{
	enum attach_kind kind = place->kind == AT_KPROBE ? AT_FUNCTION : place->kind;
	size_t i;

	if (kind == AT_PERF_EVENT) {
		judge_perf_event(place, detail);
		return;
	}
	if (place->kind == AT_KPROBE && detail > 0) {
		place->context = IN_NMI;
		place->why = "a kprobe inside a function is an int3, which counts as an NMI";
		return;
	}
	for (i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (known[i].kind != kind || fnmatch(known[i].pattern, place->name, 0))
			continue;
		place->context = known[i].context;
		place->why = known[i].why;
		return;
	}
}

void places_add(struct places *places, __u32 prog, enum attach_kind kind, const char *name,
		long long detail)
{
	struct place *place;
	size_t i;

	/* Its link says it, and the program itself. */
	for (i = 0; i < places->nr; i++) {
		place = &places->place[i];
		if (place->prog == prog && place->kind == kind && !strcmp(place->name, name))
			return;
	}
	places->place = xrealloc(places->place, places->nr + 1, sizeof(*places->place));
	place = &places->place[places->nr++];
	*place = (struct place){ .prog = prog, .kind = kind };
	snprintf(place->name, sizeof(place->name), "%s", name);
	judge(place, detail);
}

bool places_have(const struct places *places, __u32 prog)
{
	size_t i;

	for (i = 0; i < places->nr; i++)
		if (places->place[i].prog == prog)
			return true;
	return false;
}

/*
 * struct bpf_link_info, its parts of Linux 6.6 and later: the headers that this is
 * built with may be older.
 */
struct link_info {
	__u32 type;
	__u32 id;
	__u32 prog_id;
	__u32 pad;
	union {
		struct {
			__u64 name;
			__u32 name_len;
		} raw_tracepoint;
		struct {
			__u64 addrs;
			__u32 count;
			__u32 flags;
		} kprobe_multi;
		struct {
			__u32 type;
			__u32 pad;
			union {
				struct {
					__u64 name;
					__u32 name_len;
					__u32 offset;
				} probe;	/* tracepoints have no offset */
				struct {
					__u64 config;
					__u32 type;
				} event;
			};
		} perf_event;
		__u8 room[128];
	};
};

enum { LINK_RAW_TRACEPOINT = 1, LINK_PERF_EVENT = 7, LINK_KPROBE_MULTI = 8 };
enum { PERF_KPROBE = 3, PERF_KRETPROBE = 4, PERF_TRACEPOINT = 5, PERF_EVENT = 6 };

static bool link_get(int fd, struct link_info *info)
{
	__u32 len = sizeof(*info);

	return !bpf_obj_get_info_by_fd(fd, info, &len);
}

static void add_raw_tracepoint(struct places *places, int fd, __u32 prog)
{
	char name[96] = "";
	struct link_info info = { .raw_tracepoint = { (unsigned long)name, sizeof(name) } };

	if (link_get(fd, &info))
		places_add(places, prog, AT_TRACEPOINT, name, -1);
}

static void add_perf_event(struct places *places, int fd, const struct link_info *first)
{
	char name[96] = "";
	struct link_info info = { .perf_event.probe = { (unsigned long)name, sizeof(name), 0 } };
	__u32 type = first->perf_event.type;

	switch (type) {
	case PERF_KPROBE:
	case PERF_KRETPROBE:
		if (link_get(fd, &info))
			places_add(places, first->prog_id, AT_KPROBE, name,
				   info.perf_event.probe.offset);
		break;
	case PERF_TRACEPOINT:
		if (link_get(fd, &info))
			places_add(places, first->prog_id, AT_TRACEPOINT, name, -1);
		break;
	case PERF_EVENT:
		places_add(places, first->prog_id, AT_PERF_EVENT, "perf_event",
			   first->perf_event.event.type);
		break;
	}
}

static void add_kprobe_multi(struct places *places, int fd, const struct link_info *first)
{
	__u32 count = first->kprobe_multi.count, i;
	__u64 *addrs;
	struct link_info info = { 0 };

	if (!count || count > MAX_ADDRESSES) {
		if (count)
			out_note_unseen("where program %u is attached: at %u functions",
					first->prog_id, count);
		return;
	}
	addrs = xrealloc(NULL, count, sizeof(*addrs));
	memset(addrs, 0, count * sizeof(*addrs));
	info.kprobe_multi.addrs = (unsigned long)addrs;
	info.kprobe_multi.count = count;
	if (link_get(fd, &info)) {
		for (i = 0; i < count; i++)
			symbol_want(addrs[i]);
		symbols_find();
		for (i = 0; i < count; i++)
			if (symbol_name(addrs[i]))
				places_add(places, first->prog_id, AT_FUNCTION,
					   symbol_name(addrs[i]), -1);
	}
	free(addrs);
}

void places_read_links(struct places *places)
{
	struct link_info info;
	__u32 id = 0;
	int fd;

	while (!bpf_link_get_next_id(id, &id)) {
		fd = bpf_link_get_fd_by_id(id);
		if (fd < 0)
			continue;
		info = (struct link_info){ 0 };
		if (link_get(fd, &info)) {
			if (info.type == LINK_RAW_TRACEPOINT)
				add_raw_tracepoint(places, fd, info.prog_id);
			else if (info.type == LINK_PERF_EVENT)
				add_perf_event(places, fd, &info);
			else if (info.type == LINK_KPROBE_MULTI)
				add_kprobe_multi(places, fd, &info);
		}
		close(fd);
	}
}

const char *context_name(enum context context)
{
	static const char * const names[] = {
		[IN_OTHER] = "other", [IN_IRQSOFF] = "irqs off", [IN_NMI] = "NMI",
	};

	return names[context];
}
