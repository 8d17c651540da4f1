/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs of the running kernel, and what they call. */
#ifndef PROGS_H
#define PROGS_H

#include <stdbool.h>
#include <linux/types.h>

#include "places.h"

struct prog {
	__u32 id;
	__u32 type;
	char name[16];
	__u32 *maps;
	__u32 nr_maps;
	__u64 *calls;		/* addresses of helpers and kfuncs */
	__u32 nr_calls;
	bool calls_seen;	/* its instructions could be read */
	bool exchanges;		/* has bpf_kptr_xchg() inline, or another 64-bit exchange */
	const struct place *worst;	/* where it runs; NULL: nowhere that matters */
	__u32 caller;		/* the program that a tail call comes from there; 0: none */
};

struct progs {
	struct prog *prog;
	size_t nr;
};

/*
 * 0, or -errno where the kernel does not let us look. Adds to @places what a program
 * says of itself; then each program's worst place is known.
 */
int progs_read(struct progs *progs, struct places *places);
bool prog_uses(const struct prog *prog, __u32 map);
const char *prog_type_name(const struct prog *prog);
/* Name of call @i; NULL if it is not known. */
const char *prog_call(const struct prog *prog, __u32 i);

#endif /* PROGS_H */
