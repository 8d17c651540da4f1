// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long references wait.
 *
 * Time is taken once for all jobs of a pending list, when the first one is added, so a
 * job needs no room for it. All jobs that are detached together count as having waited
 * as long as the first of them: the histogram shows upper bounds.
 *
 * Nothing here is written in NMI. But an irq_work interrupts a worker in the middle of it,
 * neither of them inside a handler (kng_depth.h): so the additions are atomic on this CPU.
 */
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/seq_buf.h>
#include <linux/timekeeping.h>

#include "delay.h"

/* Bucket i > 0 has delays from 2^(i - 1) up to 2^i us, the last one all longer ones. */
static const char * const bucket_names[] = {
	"1us", "2us", "4us", "8us", "16us", "32us", "64us", "128us", "256us", "512us",
	"1ms", "2ms", "4ms", "8ms", "16ms", "33ms", "66ms", "131ms", "262ms", "524ms",
	"1s", "forever",
};

#define NR_BUCKETS	ARRAY_SIZE(bucket_names)

struct delays {
	u64 nr[NR_BUCKETS];
	u64 max_ns;
};

static DEFINE_PER_CPU(struct delays, delays);

/* Both clocks at load. */
static u64 start_cycles, start_ns;

void kng_delay_init(void)
{
	start_cycles = kng_delay_now();
	start_ns = ktime_get_mono_fast_ns();
}

u64 kng_delay_ns(u64 since)
{
	u64 now = kng_delay_now();
	u64 cycles = now - start_cycles;

	/* Counters of two CPUs may differ by a little. */
	if (!cycles || (s64)(now - since) < 0)
		return 0;
	return mul_u64_u64_div_u64(now - since, ktime_get_mono_fast_ns() - start_ns, cycles);
}

void kng_delay_note(u64 ns, unsigned int nr)
{
	u64 us = div_u64(ns, 1000);
	unsigned int bucket = us ? min_t(unsigned int, ilog2(us) + 1, NR_BUCKETS - 1) : 0;

	this_cpu_add(delays.nr[bucket], nr);
	/* Two contexts of a CPU may race for the maximum. Then the smaller may win. */
	if (ns > this_cpu_read(delays.max_ns))
		this_cpu_write(delays.max_ns, ns);
}

void kng_delay_show(struct seq_buf *m)
{
	u64 nr[NR_BUCKETS] = {}, max_ns = 0;
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct delays *d = per_cpu_ptr(&delays, cpu);

		for (i = 0; i < NR_BUCKETS; i++)
			nr[i] += READ_ONCE(d->nr[i]);
		max_ns = max(max_ns, READ_ONCE(d->max_ns));
	}
	seq_buf_printf(m, "delay_max_us: %llu\n", div_u64(max_ns, 1000));
	for (i = 0; i < NR_BUCKETS; i++)
		seq_buf_printf(m, "delay_below_%s: %llu\n", bucket_names[i], nr[i]);
}
