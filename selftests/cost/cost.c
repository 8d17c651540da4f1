// SPDX-License-Identifier: GPL-2.0-only
/*
 * The recursion guard, what it could be instead, and counters, each as a function of
 * its own: for scripts/depth-cost, which counts their instructions.
 */
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/preempt.h>

#include "kng_depth.h"

bool cost_nothing(void);
bool cost_depth(void);
bool cost_depth_preemptible(void);
bool cost_inc_return(void);
bool cost_count_atomic(void);
bool cost_count_plain(void);
bool cost_count_alone(void);

static DEFINE_PER_CPU(union kng_depth, depth);
static DEFINE_PER_CPU(int, active);
static DEFINE_PER_CPU(u64, count);
static DEFINE_PER_CPU(u64, count_alone);

#define LEVEL 3		/* in NMI it is a constant */

bool cost_nothing(void)
{
	return true;
}

/* As the guard does: preemption is off anyway. */
bool cost_depth(void)
{
	union kng_depth *here = raw_cpu_ptr(&depth);
	bool alone = kng_depth_enter(here, LEVEL);

	kng_depth_exit(here, LEVEL);
	return alone;
}

/* As a caller has to that can be preempted. */
bool cost_depth_preemptible(void)
{
	union kng_depth *here;
	bool alone;

	preempt_disable_notrace();
	here = raw_cpu_ptr(&depth);
	alone = kng_depth_enter(here, LEVEL);
	preempt_enable_notrace();
	barrier();
	preempt_disable_notrace();
	kng_depth_exit(here, LEVEL);
	preempt_enable_notrace();
	return alone;
}

/* By the kernel's per-CPU atomics. */
bool cost_inc_return(void)
{
	bool alone = this_cpu_inc_return(active) == 1;

	barrier();
	this_cpu_dec(active);
	return alone;
}

bool cost_count_atomic(void)
{
	this_cpu_inc(count);
	return true;
}

bool cost_count_plain(void)
{
	__this_cpu_inc(count);
	return true;
}

/* Plain where alone, which the caller was told; else atomic. */
bool cost_count_alone(void)
{
	if (likely(READ_ONCE(*raw_cpu_ptr(&active)) == 1))
		__this_cpu_inc(count_alone);
	else
		this_cpu_inc(count);
	return true;
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test only: machine code to look at");
