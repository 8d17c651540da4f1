/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The exact reserve: count the references that programs store in maps, and refuse a
 * reference if no job can be promised to it.
 */
#ifndef KNG_EXACT_H
#define KNG_EXACT_H

#include <linux/bpf.h>

struct seq_buf;

/**
 * kng_exact_init() - start to count
 *
 * Replaces bpf_kptr_xchg(), and makes programs that are loaded from now on call it.
 * Until kng_exact_trust_count() all maps are taken for full.
 *
 * Context: Task; maps are watched when they are created and when they are freed.
 * Return: as kng_hook_install(). The log says what went wrong.
 */
int kng_exact_init(void);

/**
 * kng_exact_xchg() - what runs in place of bpf_kptr_xchg()
 * @slot: where the kptr is
 * @ptr: what to store there, or 0
 * @r3: unused, as are @r4 and @r5: helpers have five arguments
 * @r4: unused
 * @r5: unused
 *
 * Only hooks call it: by ftrace, or from its stub (direct.h).
 *
 * Context: Any, nested NMI included; after kng_exact_init().
 * Return: what was in the slot; or @ptr, if no job can be promised to it. Then the slot is as it
 *	was.
 */
u64 kng_exact_xchg(u64 slot, u64 ptr, u64 r3, u64 r4, u64 r5);

/**
 * kng_exact_stub() - goes on to kng_exact_xchg()
 *
 * There only where ftrace can call it directly.
 *
 * Context: ftrace calls it as KNG_DIRECT_STUB() says, nobody else.
 */
void kng_exact_stub(void);

/**
 * kng_exact_trust_count() - use the count from now on
 *
 * Context: Task; after kng_exact_init(), and only if no map that bpf_kptr_xchg() can
 *	reach was created before that.
 */
void kng_exact_trust_count(void);

/**
 * kng_exact_exit() - remove the replacement of bpf_kptr_xchg()
 *
 * Programs that call the helper still call it. Programs that are loaded later have it
 * inlined again.
 *
 * Context: Task.
 */
void kng_exact_exit(void);

/**
 * kng_exact_note_removed() - references left their slots without bpf_kptr_xchg()
 * @rec: record of the values that they were in
 * @nr: number of references
 *
 * Context: Any, nested NMI included; after the exchange that removed the reference
 *	from its slot. If the reference is deferred, the caller holds its job.
 */
void kng_exact_note_removed(const struct btf_record *rec, unsigned int nr);

/**
 * kng_exact_covered() - number of references that should have a job
 *
 * Context: Task, atomic or not. Never sleeps.
 * Return: the room in all maps or, with shrink=Y, the references that were counted plus
 *	the jobs in use, if the count can be trusted and is smaller. In exact mode it
 *	includes a few jobs that are never promised.
 */
u64 kng_exact_covered(void);

/**
 * kng_exact_short() - ask whether jobs for counted references run short
 *
 * Context: Any, nested NMI included.
 * Return: true if the pool should grow.
 */
bool kng_exact_short(void);

/**
 * kng_exact_raise() - jobs were added to the pool, or a kng_exact_lower() is undone
 * @jobs: number of jobs
 *
 * Context: Task.
 */
void kng_exact_raise(u32 jobs);

/**
 * kng_exact_lower() - ask whether jobs may be removed from the pool
 * @jobs: number of jobs
 *
 * Context: Task.
 * Return: true if no promise needs them. Then they are not promised any more.
 */
bool kng_exact_lower(u32 jobs);

/**
 * kng_exact_references() - number of references in maps, as counted
 *
 * Context: Any.
 * Return: the count; 0 without reserve=exact. Below 0 it is wrong: references were
 *	stored that were not counted.
 */
s64 kng_exact_references(void);

/**
 * kng_exact_show() - print the lines of the stats
 * @m: where to print
 *
 * Context: Task.
 */
void kng_exact_show(struct seq_buf *m);

#endif /* KNG_EXACT_H */
