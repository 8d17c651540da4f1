// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event counters.
 */
#include <linux/cpumask.h>

#include "count.h"

DEFINE_PER_CPU(struct kng_counts, kng_counts);
DEFINE_PER_CPU(union kng_depth, kng_entry_depth);
#ifdef CONFIG_ARM64
DEFINE_PER_CPU(struct kng_counts, kng_counts_alone);
#endif

u64 kng_count_sum(enum kng_counter what)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		sum += READ_ONCE(per_cpu(kng_counts, cpu).nr[what]);
#ifdef CONFIG_ARM64
		sum += READ_ONCE(per_cpu(kng_counts_alone, cpu).nr[what]);
#endif
	}
	return sum;
}
