// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reserve: how many jobs there are to be.
 *
 *	covered		references to have jobs for: what the watched maps have
 *			room for, or what exact.c counts in them
 *	headroom	what covered can't know: slots that are filled again while
 *			their jobs are pending, releases by programs, maps so
 *			new that the worker has not run. The parameter, or what
 *			was lately in use, and a quarter more, if that is more.
 *	wanted		covered + headroom, at least jobs, at most max_jobs
 *
 * A worker makes it so. It adds at once what is wanted, in whole chunks; it takes
 * away when half of the jobs have been surplus for a second, so that maps that come
 * and go don't make it work all the time. What was lately in use is forgotten by
 * halves, one each second: after a burst the memory goes back, without any NMI.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "exact.h"
#include "maps.h"
#include "params.h"
#include "pool.h"
#include "reserve.h"
#include "stats.h"

#define LATER	HZ

/* Statistics; CPUs may lose a race for them. */
static unsigned int peak;	/* most in use since load */
static unsigned int lately;	/* most in use, forgotten by halves */

/* Written by the worker. */
static u64 wanted, shortfall;
static unsigned int headroom;
static bool told;
static unsigned long surplus_since;	/* jiffies; 0: there is not enough of it */

static struct workqueue_struct *workqueue;
static void adjust(struct work_struct *work);
static DECLARE_DELAYED_WORK(adjust_work, adjust);

void kng_reserve_changed(void)
{
	mod_delayed_work(workqueue, &adjust_work, 0);
}

static unsigned int headroom_for(unsigned int in_use)
{
	return max(kng_params.headroom, in_use + in_use / 4);
}

void kng_reserve_look(void)
{
	unsigned int in_use = kng_pool_in_use();

	if (in_use > READ_ONCE(peak))
		WRITE_ONCE(peak, in_use);
	if (in_use > READ_ONCE(lately))
		WRITE_ONCE(lately, in_use);
	if (headroom_for(in_use) > READ_ONCE(headroom) || kng_exact_short())
		kng_reserve_changed();
}

static void set_wanted(void)
{
	u64 want;

	headroom = headroom_for(READ_ONCE(lately));
	want = max_t(u64, kng_params.jobs, kng_exact_covered() + headroom);
	WRITE_ONCE(wanted, want);
}

static void grow(u32 goal)
{
	u32 total = kng_pool_total(), added, jobs;

	if (total >= goal)
		return;
	/* Whole chunks, as far as they go. */
	jobs = min(round_up(goal - total, KNG_CHUNK_JOBS), kng_params.max_jobs - total);
	added = kng_pool_grow(jobs);
	kng_exact_raise(added);
	kng_count_many(KNG_GROWN, added);
}

/* True if they have been surplus for long enough. */
static bool lasts(u32 surplus)
{
	if (surplus < KNG_CHUNK_JOBS || surplus < kng_pool_total() / 2)
		surplus_since = 0;
	else if (!surplus_since)
		surplus_since = jiffies | 1;
	return surplus_since && time_after_eq(jiffies, surplus_since + LATER);
}

static void trim(u32 goal)
{
	u32 total = kng_pool_total();
	u32 surplus = total > goal ? total - goal : 0;

	/* Jobs that go still count: none is marked before they are gone. */
	if (lasts(surplus) && !kng_pool_shrinks() && kng_exact_lower(surplus))
		kng_exact_raise(surplus - kng_pool_mark(surplus));
	if (kng_pool_shrinks())
		kng_count_many(KNG_TRIMMED, kng_pool_collect());
}

static void tell(void)
{
	if (shortfall && !told)
		pr_warn_ratelimited("%llu more jobs are wanted for what maps have room for, and can't be had (max_jobs=%u): see `shortfall' in the stats\n",
				    shortfall, kng_params.max_jobs);
	told = shortfall;
}

/* True if there is something left to forget. */
static bool forget(void)
{
	static unsigned long next = INITIAL_JIFFIES;
	unsigned int was = READ_ONCE(lately);

	if (time_after_eq(jiffies, next)) {
		WRITE_ONCE(lately, max(kng_pool_in_use(), was / 2));
		next = jiffies + LATER;
	}
	return headroom_for(was) > kng_params.headroom;
}

static void adjust(struct work_struct *work)
{
	u64 start = ktime_get_mono_fast_ns();
	bool again = forget();
	u32 goal;

	set_wanted();
	goal = min_t(u64, wanted, kng_params.max_jobs);
	grow(goal);
	trim(goal);
	/* What was on its way out when the goal was lower is gone. */
	grow(goal);

	WRITE_ONCE(shortfall, wanted > kng_pool_total() ? wanted - kng_pool_total() : 0);
	tell();
	if (!shortfall)
		kng_maps_met(start);
	/* With shrink=Y nobody says when references go. */
	if (again || surplus_since || kng_pool_shrinks() || kng_pool_total() < goal ||
	    (kng_params.shrink && kng_pool_total() > kng_params.jobs))
		queue_delayed_work(workqueue, &adjust_work, LATER);
}

int kng_reserve_init(void)
{
	workqueue = alloc_workqueue("kptr_nmi_guard_reserve", WQ_UNBOUND | WQ_HIGHPRI, 1);
	return workqueue ? 0 : -ENOMEM;
}

void kng_reserve_settle(void)
{
	kng_reserve_changed();
	flush_delayed_work(&adjust_work);
}

unsigned int kng_reserve_peak(void)
{
	return READ_ONCE(peak);
}

void kng_reserve_show(struct seq_file *m)
{
	seq_printf(m, "maps_watched: %u\n", kng_maps_watched());
	seq_printf(m, "maps_unwatched: %u\n", kng_maps_unwatched());
	seq_printf(m, "reserved: %llu\n", kng_maps_charged());
	seq_printf(m, "headroom: %u\n", READ_ONCE(headroom));
	seq_printf(m, "wanted: %llu\n", READ_ONCE(wanted));
	seq_printf(m, "shortfall: %llu\n", READ_ONCE(shortfall));
}

void kng_reserve_exit(void)
{
	cancel_delayed_work_sync(&adjust_work);
	destroy_workqueue(workqueue);
}
