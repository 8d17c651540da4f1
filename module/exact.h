/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The exact reserve: counts what programs put into maps, and refuses what no job
 * can be promised to.
 */
#ifndef KNG_EXACT_H
#define KNG_EXACT_H

#include <linux/bpf.h>

struct seq_file;

/**
 * kng_exact_init() - count from now on
 *
 * Replaces bpf_kptr_xchg(), and has programs that are loaded from now on call
 * it.
 *
 * Context: Task; maps are watched, and those that exist have been seen.
 * Return: as kng_hook_install(); the log says what is wrong.
 */
int kng_exact_init(void);

/**
 * kng_exact_exit() - leave bpf_kptr_xchg() as it was
 *
 * Programs that call it go on calling it; programs that are loaded later have
 * the exchange inline again.
 *
 * Context: Task.
 */
void kng_exact_exit(void);

/**
 * kng_exact_gone() - references have left slots other than by bpf_kptr_xchg()
 * @rec: record of the values that they were in
 * @nr: how many references
 *
 * Context: Any, nested NMI included, after the exchange that took the reference
 *	out; where it is deferred with the job in hand.
 */
void kng_exact_gone(const struct btf_record *rec, unsigned int nr);

/**
 * kng_exact_covered() - number of references that are to have jobs
 *
 * Context: Task.
 * Return: what maps have room for; with shrink=Y what was counted, and is in jobs
 *	already, if the count can be relied upon and is less. In exact mode a few more,
 *	without which none can be promised.
 */
u64 kng_exact_covered(void);

/**
 * kng_exact_short() - ask if jobs for what is counted run short
 *
 * Context: Any, nested NMI included.
 * Return: true if the pool should grow.
 */
bool kng_exact_short(void);

/**
 * kng_exact_raise() - jobs were added to the pool, or stay in it after all
 * @jobs: how many
 *
 * Context: Task.
 */
void kng_exact_raise(u32 jobs);

/**
 * kng_exact_lower() - ask if jobs may be taken out of the pool
 * @jobs: how many
 *
 * Context: Task.
 * Return: true if no promise needs them; they are not promised any more.
 */
bool kng_exact_lower(u32 jobs);

/**
 * kng_exact_show() - write the lines of the stats
 * @m: where to
 *
 * Context: Task.
 */
void kng_exact_show(struct seq_file *m);

#endif /* KNG_EXACT_H */
