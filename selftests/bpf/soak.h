/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the soak's programs and its loader share.
 *
 * A lane is one CPU in one context. Its state draws one number for each act, and
 * that number alone decides what is tried, on what: the same seed gives each lane
 * the same sequence. How lanes meet is the machine's.
 */
#ifndef KNG_SOAK_H
#define KNG_SOAK_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* Powers of two: the verifier wants masks. */
#define SOAK_CPUS	8
#define SOAK_LANES	8	/* contexts, rounded up */
#define SOAK_SLOTS	4096	/* of the arrays */
#define SOAK_KEYS	64	/* of each hash */
#define SOAK_STEP	0x9e3779b97f4a7c15ULL	/* of splitmix64 */
#define SOAK_DEEDS	128	/* SOAK_OPS of each place, both rounded up */
#define SOAK_OBJECTS	16	/* tasks; so many cgroups, too */
#define SOAK_OWNERS	8	/* of local storage: the first tasks, cgroups */

enum soak_context {
	SOAK_TASK, SOAK_SOFTIRQ, SOAK_HARDIRQ, SOAK_NMI,
	SOAK_LOADER,		/* task context, too: the loader's own acts */
	SOAK_CONTEXTS
};

enum soak_kind { SOAK_A_TASK, SOAK_A_CGROUP, SOAK_A_MASK, SOAK_KINDS };

/*
 * Where references are kept. Slots of arrays are there for ever, and all
 * contexts of all CPUs use them as they come. Elements of other maps end: by the
 * sources of Linux 6.12, what is exchanged into one after its fields were freed
 * is never given back, guard or not. There an act claims its element first, and
 * without a claim does nothing.
 */
enum soak_place {
	SOAK_ARRAY, SOAK_PERCPU_ARRAY,
	SOAK_HASH, SOAK_HASH_PREALLOC, SOAK_PERCPU_HASH,
	SOAK_LRU, SOAK_PERCPU_LRU,
	SOAK_TASK_STORAGE, SOAK_CGROUP_STORAGE,
	SOAK_OBJECT,		/* an array of bpf_obj_new() objects with a task */
	SOAK_PLACES
};

enum soak_op {
	SOAK_FILL,		/* acquire, exchange in, release what was there */
	SOAK_WRITE,		/* update the element with an empty value */
	SOAK_DELETE,		/* delete it */
	SOAK_OUT,		/* exchange out, release */
	SOAK_MOVE,		/* exchange out, and into the array */
	SOAK_PAIR,		/* acquire, release */
	SOAK_OPS
};

struct soak_conf {
	__u64 seed;
	__u32 acts[SOAK_LANES];	/* in one run of a program */
	__u32 cpus;
	__u32 objects;		/* SOAK_OBJECT: the verifier takes it */
	__u32 irqsoff;		/* SOAK_HARDIRQ is sched_switch, and deferred as NMI is */
};

struct soak_lane {
	__u64 state;
	__u64 runs;
	__u64 acts;
	__u64 created[SOAK_KINDS];
	__u64 released[SOAK_KINDS];	/* by the program, by the kfunc */
	__u64 done[SOAK_DEEDS];		/* by place and operation */
	__u64 claimed;		/* acts left out: somebody else is there */
	__u64 absent;		/* nothing to do it to */
	__u64 locked;		/* the map said no: busy, full, no memory */
	__u64 failed;
	__s64 last_error;
};

struct soak_ctl {
	__u32 open;		/* programs may act */
	__s32 pid[SOAK_OBJECTS];
	__u64 cgroup[SOAK_OBJECTS];
	struct soak_lane lane[SOAK_CPUS][SOAK_LANES];
};

#endif /* KNG_SOAK_H */
