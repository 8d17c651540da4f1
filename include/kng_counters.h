/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event counters: their order and their names, for the module's stats file and for
 * the tests that read it.
 *
 * Counters are per CPU and, but for `bypassed', never decrease. While no job is being
 * queued or run,
 *
 *	taken == run + pending + leaked
 *	run == run_hardirq + run_worker
 *	jobs_total == jobs_idle + pending
 *	jobs_total == jobs + grown - trimmed
 *
 * Here `jobs' is the parameter. `pending' is no counter: the pool computes it from the
 * jobs in use, and the third line defines it. So the first line compares two accounts
 * that share no code.
 */
#ifndef KNG_COUNTERS_H
#define KNG_COUNTERS_H

/**
 * enum kng_counter - kinds of events
 * @KNG_SEEN_NMI: calls of a hooked function in NMI
 * @KNG_SEEN_IRQSOFF: calls of a hooked function with interrupts off, but not in NMI
 *	(defer=irqsoff)
 * @KNG_TAKEN: references taken over from such calls
 * @KNG_TAKEN_RELEASE: those of them that the release door took
 * @KNG_NOT_LAST: references that can't have been the last ones. They were dropped at
 *	once and are in no other count.
 * @KNG_RUN: destructors that were run for references taken over
 * @KNG_RUN_HARDIRQ: those of them that the irq_work ran
 * @KNG_RUN_WORKER: those of them that ran in task context: by the worker, by CPU
 *	hotplug, or at unload
 * @KNG_HANDOFFS: irq_work runs that used up their budget and left jobs to the worker
 * @KNG_EMPTY: attempts to take a job when the pool had none
 * @KNG_TABLE_FULL: attempts to use a job that failed because the table of destructors was
 *	full, or the destructor's module was being unloaded
 * @KNG_LEAKED: references that are never dropped (on_empty=leak)
 * @KNG_INLINED: destructors that ran where they were called, for want of a job
 *	(on_empty=inline)
 * @KNG_KEPT: references that stayed in their slot for want of a job (on_empty=leak)
 * @KNG_RACED: slots that another CPU emptied after we had taken a job; the job was
 *	returned
 * @KNG_NESTED: entries into the guard while the CPU was already inside it
 * @KNG_ADOPTED: watched maps that are older than the guard
 * @KNG_GROWN: jobs added to the pool
 * @KNG_TRIMMED: jobs whose memory was freed
 * @KNG_REFUSED: exchanges that were refused (reserve=exact)
 * @KNG_REFUSED_NMI: deletes of local storage that were refused in NMI
 * @KNG_BYPASSED: calls that were diverted to a stub which did not run; the original ran
 *	instead. A call counts until its stub runs, so this is exact while no
 *	call is under way.
 * @KNG_BAD_CONTEXT: destructors that the guard was about to run in NMI; an internal
 *	check, must be 0
 * @KNG_NR_COUNTERS: number of counters
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
	KNG_REFUSED_NMI,
	KNG_BYPASSED,
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
	[KNG_REFUSED_NMI]	= "refused_nmi",	\
	[KNG_BYPASSED]		= "bypassed",		\
	[KNG_BAD_CONTEXT]	= "bad_context",	\
}

#endif /* KNG_COUNTERS_H */
