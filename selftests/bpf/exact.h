/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs of exact.bpf.c and their caller share. */
#ifndef KNG_EXACT_H
#define KNG_EXACT_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* Argument of the syscall programs, and their answer. */
struct exact_arg {
	__u32 from, n;		/* slots */
	__u32 pid;		/* of the task whose references go in */
	__u32 unused;
	__u64 stored, refused, taken, torn, full;
	__u64 changed;		/* refused, but not as before: a bug */
	__u64 failed;
	__u64 nmis;
	__s64 users;		/* references that the task has */
};

/* What tears down: the program in NMI, or tear. */
enum {
	EXACT_OFF,
	EXACT_OVERWRITE,	/* stores an empty value */
	EXACT_DELETE,		/* deletes the element */
	EXACT_RELEASE,		/* takes out and releases */
};

#endif /* KNG_EXACT_H */
