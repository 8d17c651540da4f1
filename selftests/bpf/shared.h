/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a BPF program and its loader share: the configuration, constant once
 * loaded, and the control block in the program's .bss.
 *
 * Life of a slot:  EMPTY -> LIVE      fill, in task context
 *                  LIVE -> BUSY       whoever tears it down, by cmpxchg
 *                  BUSY -> EMPTY      torn down
 *                  BUSY -> LIVE       the map was locked: a later NMI retries
 *                  BUSY -> FAILED     any other error; the test fails
 */
#ifndef KNG_SHARED_H
#define KNG_SHARED_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* Linux 6.2; older headers do not have the names. */
#define MAP_TYPE_CGRP_STORAGE 32
/* Linux 7.2 */
#define MAP_TYPE_RHASH 35

#define KNG_SLOTS_MAX 1024

enum kng_kind {
	KNG_TASK, KNG_CGROUP, KNG_CPUMASK, KNG_CRYPTO, KNG_FOREIGN, KNG_NONE
};

enum kng_slot_state { KNG_EMPTY, KNG_LIVE, KNG_BUSY, KNG_FAILED };

struct kng_conf {
	__u32 slots;		/* up to KNG_SLOTS_MAX */
	__u32 kind;		/* enum kng_kind */
	__s32 cpu;		/* only NMIs on this CPU tear down; -1: all */
	__u32 copies;		/* values to fill per slot: CPUs, or 1 */
	__u32 by_delete;	/* teardown deletes; 0: it stores an empty value */
	__u32 per_cpu;		/* the map has a value per CPU */
};

struct kng_ctl {
	__u32 open;		/* NMIs may tear down; the loader says when */
	__u64 created;		/* references stored; all others likewise counts */
	__u64 torn;		/* references whose slot was torn down */
	__u64 replaced;		/* found in a slot that should have been empty */
	__u64 retried;
	__u64 failed;
	__s64 last_error;
	__u64 nmis;		/* claimed NMIs that reached the program */
	__u32 state[KNG_SLOTS_MAX];
	__u64 object[KNG_SLOTS_MAX];	/* address of what fill stored */
};

/* Argument of the syscall programs. */
struct kng_arg {
	__u32 slot;
	__u64 id;		/* pid or cgroup id */
};

#endif /* KNG_SHARED_H */
