/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long references wait: a histogram of the time from deferral to destructor.
 */
#ifndef KNG_DELAY_H
#define KNG_DELAY_H

#include <linux/timex.h>
#include <linux/types.h>

struct seq_buf;

/**
 * kng_delay_now() - the time, in a unit of its own
 *
 * A cycle counter is read with one instruction, which matters in NMI. Its rate is not
 * known here: kng_delay_ns() compares it with the kernel's clock.
 *
 * Context: Any, nested NMI included.
 * Return: cycles; 0 on a machine without a counter.
 */
static inline u64 kng_delay_now(void)
{
	return get_cycles();
}

/**
 * kng_delay_ns() - the time that has passed since another
 * @since: of kng_delay_now(), maybe of another CPU
 *
 * Context: Any but NMI.
 * Return: nanoseconds.
 */
u64 kng_delay_ns(u64 since);

/**
 * kng_delay_note() - note that references have waited
 * @ns: for so long
 * @nr: number of references
 *
 * Context: Any but NMI, with preemption on or off.
 */
void kng_delay_note(u64 ns, unsigned int nr);

/**
 * kng_delay_init() - start to compare the clocks
 *
 * Context: Task; before any other call.
 */
void kng_delay_init(void);

/**
 * kng_delay_show() - print the lines of the stats
 * @m: where to print
 *
 * Context: Task.
 */
void kng_delay_show(struct seq_buf *m);

#endif /* KNG_DELAY_H */
