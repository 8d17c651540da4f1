/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard's event counters: their order and their names, for the module's
 * stats file and for the tests that read it.
 *
 * Counters are per CPU and only ever grow. When no job is under way
 *
 *	taken == run + pending + leaked
 *	run == run_hardirq + run_worker
 *	jobs_total == jobs_idle + pending
 *	jobs_total == jobs + grown - trimmed
 *
 * where jobs is the parameter, and pending is not a counter but what the pool
 * says is in use (the third line is its definition): the first line compares two
 * accounts that share no code.
 */
#ifndef KNG_COUNTERS_H
#define KNG_COUNTERS_H

/**
 * enum kng_counter - what is counted
 * @KNG_SEEN_NMI: calls of a hooked function that were made in NMI context
 * @KNG_SEEN_IRQSOFF: calls made with interrupts off, but not in NMI
 *	(defer=irqsoff)
 * @KNG_TAKEN: references taken over from such calls
 * @KNG_TAKEN_RELEASE: of these, at the release door
 * @KNG_NOT_LAST: references given back at once, since they were not the last
 *	ones; they count nowhere else
 * @KNG_RUN: destructors that were run for them, in whatever place
 * @KNG_RUN_HARDIRQ: of these, by the irq_work
 * @KNG_RUN_WORKER: of these, in task context: by the worker, by CPU hotplug, or
 *	at unload
 * @KNG_HANDOFFS: irq_work runs that ended at the budget, with jobs left
 * @KNG_EMPTY: times that no job was left
 * @KNG_TABLE_FULL: times that a job's destructor found no place in the table of
 *	known destructors, or its module was on its way out; then as with no job
 * @KNG_LEAKED: references dropped without their destructor (on_empty=leak)
 * @KNG_INLINED: destructors left to run where they were called (on_empty=inline)
 * @KNG_KEPT: references left in their slot, which lives on (on_empty=leak)
 * @KNG_RACED: slots that somebody else emptied first; their job went back
 * @KNG_NESTED: entries while the same CPU was already inside a hook
 * @KNG_ADOPTED: maps with room for references that were older than the guard
 * @KNG_GROWN: jobs added to the pool
 * @KNG_TRIMMED: jobs whose memory was given back
 * @KNG_REFUSED: exchanges that were refused (reserve=exact)
 * @KNG_BAD_CONTEXT: internal check: a destructor was about to run in NMI; 0
 * @KNG_NR_COUNTERS: how many there are
 */
enum kng_counter {
	KNG_SEEN_NMI,
	KNG_SEEN_IRQSOFF,
	KNG_TAKEN,
	KNG_TAKEN_RELEASE,
	KNG_NOT_LAST,
	KNG_RUN,
	KNG_RUN_HARDIRQ,
	KNG_RUN_WORKER,
	KNG_HANDOFFS,
	KNG_EMPTY,
	KNG_TABLE_FULL,
	KNG_LEAKED,
	KNG_INLINED,
	KNG_KEPT,
	KNG_RACED,
	KNG_NESTED,
	KNG_ADOPTED,
	KNG_GROWN,
	KNG_TRIMMED,
	KNG_REFUSED,
	KNG_BAD_CONTEXT,
	KNG_NR_COUNTERS
};

#define KNG_COUNTER_NAMES {				\
	[KNG_SEEN_NMI]		= "seen_nmi",		\
	[KNG_SEEN_IRQSOFF]	= "seen_irqsoff",	\
	[KNG_TAKEN]		= "taken",		\
	[KNG_TAKEN_RELEASE]	= "taken_release",	\
	[KNG_NOT_LAST]		= "not_last",		\
	[KNG_RUN]		= "run",		\
	[KNG_RUN_HARDIRQ]	= "run_hardirq",	\
	[KNG_RUN_WORKER]	= "run_worker",		\
	[KNG_HANDOFFS]		= "handoffs",		\
	[KNG_EMPTY]		= "empty",		\
	[KNG_TABLE_FULL]	= "table_full",		\
	[KNG_LEAKED]		= "leaked",		\
	[KNG_INLINED]		= "inlined",		\
	[KNG_KEPT]		= "kept",		\
	[KNG_RACED]		= "raced",		\
	[KNG_NESTED]		= "nested",		\
	[KNG_ADOPTED]		= "adopted",		\
	[KNG_GROWN]		= "grown",		\
	[KNG_TRIMMED]		= "trimmed",		\
	[KNG_REFUSED]		= "refused",		\
	[KNG_BAD_CONTEXT]	= "bad_context",	\
}

#endif /* KNG_COUNTERS_H */
