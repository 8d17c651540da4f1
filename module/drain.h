/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where destructors run.
 */
#ifndef KNG_DRAIN_H
#define KNG_DRAIN_H

/**
 * kng_drain_init() - initialise the queues of all CPUs
 * @on_run: called at the start of each irq_work run, in its context
 *
 * Context: Task; before anything is hooked.
 * Return: 0 or a negative errno.
 */
int kng_drain_init(void (*on_run)(void));

/**
 * kng_drain_exit() - run all pending jobs and stop
 *
 * Context: Task; after everything was unhooked.
 */
void kng_drain_exit(void);

/**
 * kng_drain_longest() - largest number of jobs in one irq_work run since load
 *
 * Context: Any.
 * Return: the number of jobs; more than the budget only if idle jobs ran short.
 */
unsigned int kng_drain_longest(void);

#endif /* KNG_DRAIN_H */
