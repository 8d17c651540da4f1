/* SPDX-License-Identifier: GPL-2.0-only */
/* Where programs are attached, and what context that means. */
#ifndef PLACES_H
#define PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

/* Worst last: a program attached twice counts as the worse. */
enum context { IN_OTHER, IN_IRQSOFF, IN_NMI };

enum attach_kind { AT_TRACEPOINT, AT_FUNCTION, AT_KPROBE, AT_PERF_EVENT, AT_STRUCT_OPS };

struct place {
	__u32 prog;
	enum attach_kind kind;
	enum context context;
	char name[96];
	const char *why;	/* the context; NULL for IN_OTHER */
};

struct places {
	struct place *place;
	size_t nr;
};

/*
 * Adds one. @detail: the offset into the function for AT_KPROBE, the perf event's
 * type (PERF_TYPE_) for AT_PERF_EVENT, or -1 where that is not known.
 */
void places_add(struct places *places, __u32 prog, enum attach_kind kind, const char *name,
		long long detail);
bool places_have(const struct places *places, __u32 prog);
/* All links of the kernel. */
void places_read_links(struct places *places);

const char *context_name(enum context context);

#endif /* PLACES_H */
