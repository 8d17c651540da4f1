/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an exerciser works with: its programs and their control block, from a
 * skeleton that includes exercise.bpf.h.
 */
#ifndef KNG_EXERCISE_H
#define KNG_EXERCISE_H

#include <bpf/libbpf.h>

#include "options.h"
#include "shared.h"

struct exercise {
	const struct options *opt;
	const char *name;
	struct bpf_object_skeleton *skeleton;
	struct kng_ctl *ctl;
	unsigned int copies;		/* references per slot */
	int fill, sweep, references;	/* the syscall programs */
	bool releases;			/* teardown calls the release kfunc */
	const __u64 *within;		/* if set: counts what must have happened */
	void (*stir)(void);		/* if set: to be interrupted, too */
	void (*last_words)(void);	/* if set: called before the programs go */
};

#define EXERCISE_OPTIONS {				\
	.map = "array", .kptr = KNG_TASK,		\
	.rounds = 256, .slots = 8,			\
	.source = SOURCE_FIRE, .expect_nmi = DTORS_ANY,	\
	.timeout_ms = 30000, .period_us = 500,		\
	.dtors = 200000, .at = "rcu_segcblist_enqueue",				\
}

/*
 * Binds the test, its children and the NMIs that it asks for to one CPU and
 * returns its number.
 */
int exercise_begin(const struct options *opt);

/* The settings of a plain map, to be changed where the map is not plain. */
struct kng_conf *exercise_conf(const volatile struct kng_conf *rodata,
			       const struct options *opt);

/*
 * Loads and attaches. False where the verifier says no, which is reported as
 * a skipped test, or where anything else is wrong, a failed one.
 */
bool exercise_load(struct bpf_object_skeleton *skeleton, const char *name);

/* From a loaded skeleton with the programs of exercise.bpf.h; one copy. */
struct exercise exercise_of(struct bpf_object_skeleton *skeleton,
			    struct kng_ctl *ctl, const struct options *opt,
			    const char *name);

/* Runs a syscall program. Returns what it returned. */
int exercise_call(int prog, __u32 slot, __u64 id);

/*
 * All programs and maps go, so that what the kernel kept in a map until its
 * end is given back, too. The control block and "references" stay.
 */
void exercise_close(struct exercise *ex);

#endif /* KNG_EXERCISE_H */
