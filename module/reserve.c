// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reserve: how many jobs the pool should have.
 *
 *	covered		number of references that should have a job: what the
 *			watched maps have room for, or what exact.c counted
 *	headroom	jobs beyond that. They serve what covered can't include:
 *			slots that are filled again while their jobs are pending,
 *			releases by programs, and maps that are too new for the
 *			worker. It is the parameter headroom or, if more, the recent
 *			peak of jobs in use plus a quarter.
 *	wanted		covered + headroom, at least jobs; the pool has max_jobs at most
 *
 * A worker resizes the pool. It adds wanted jobs at once, in whole chunks. It frees
 * jobs when half of all jobs have been surplus for a second, so that short-lived maps
 * don't keep it busy. A map for which the pool has jobs, and no surplus, does not wake it.
 * The recent peak decays by half every second, so memory is freed after a burst even if
 * no NMI comes.
 *
 * It leaves memory to others: an eighth of RAM, at most 128 MiB, stays available. Once
 * that was reached, twice as much must be available, and the pool grows by one step
 * each second, until there are all wanted jobs. So the worker does not take at once
 * what the end of some process has just freed. Wanted jobs that can't be added are
 * shortfall.
 */
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/seq_buf.h>
#include <linux/sizes.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "count.h"
#include "exact.h"
#include "maps.h"
#include "params.h"
#include "pool.h"
#include "report.h"
#include "reserve.h"
#include "trace.h"
#include "unwatched.h"

/* Interval at which the worker runs while it has something to watch. */
#define INTERVAL	HZ

/* Jobs that are added between two looks at the available memory: 1.5 MiB. */
#define STEP		(16 * KNG_CHUNK_JOBS)

/* Pages that stay available, at most. */
#define SPARE_MAX	(SZ_128M >> PAGE_SHIFT)

/* Statistics. Two CPUs may race for them, and one of the values is lost. */
static unsigned int peak;		/* most jobs in use since load */
static unsigned int recent_peak;	/* the same, decays by half every INTERVAL */

/* Written by the worker. */
static u64 shortfall;
static unsigned int headroom;
static bool memory_short;		/* so little is available that growing stopped */
static unsigned long surplus_since;	/* jiffies; 0: half of the jobs are not surplus */
static bool at_rest;			/* all is done, until something changes */

static void (*note_shortage)(void);
static struct workqueue_struct *workqueue;
static void resize(struct work_struct *work);
static DECLARE_DELAYED_WORK(resize_work, resize);

void kng_reserve_changed(void)
{
	mod_delayed_work(workqueue, &resize_work, 0);
}

static unsigned int headroom_for(unsigned int in_use)
{
	return max(kng_params.headroom, in_use + in_use / 4);
}

void kng_reserve_note_usage(void)
{
	unsigned int in_use = kng_pool_in_use();

	if (in_use > READ_ONCE(peak))
		WRITE_ONCE(peak, in_use);
	if (in_use > READ_ONCE(recent_peak))
		WRITE_ONCE(recent_peak, in_use);
	if (headroom_for(in_use) > READ_ONCE(headroom) || kng_exact_short())
		kng_reserve_changed();
}

static u64 want(void)
{
	return max_t(u64, kng_params.jobs,
		     kng_exact_covered() + headroom_for(READ_ONCE(recent_peak)));
}

static bool is_large(u64 surplus)
{
	return surplus >= KNG_CHUNK_JOBS && surplus >= kng_pool_total() / 2;
}

/* Some floors don't count. That is reported. */
static bool floors_are_cut(void)
{
	return kng_maps_floors() > kng_maps_floor_limit();
}

/* Does the pool have what is wanted, and not so much more that some will go? */
static bool fits(void)
{
	u64 jobs = want();
	u32 total = kng_pool_total();

	return jobs <= total && !is_large(total - jobs) && !floors_are_cut();
}

/*
 * If the worker is at rest it saw all charges but those that were added or taken away
 * since. Of a map that comes, either the worker sees the charge, or we see that it is not
 * at rest: the charge is written, and then at_rest is read; the worker clears at_rest, and
 * then reads the charges. Both are fully ordered between.
 */
void kng_reserve_map_changed(void)
{
	u64 now = ktime_get_mono_fast_ns();

	smp_mb(); /* Pairs with the one in resize(). */
	if (READ_ONCE(at_rest) && fits() && !kng_maps_note_some_covered(now))
		return;
	kng_reserve_changed();
}

/* May the pool grow by one more step? */
static bool memory_allows(void)
{
	static unsigned long next_step;
	unsigned long spare = min_t(unsigned long, totalram_pages() / 8, SPARE_MAX);

	if (memory_short && time_before(jiffies, next_step))
		return false;
	next_step = jiffies + INTERVAL;
	if (si_mem_available() >= (memory_short ? 2 * spare : spare))
		return true;
	memory_short = true;
	return false;
}

static void grow(u32 goal)
{
	u32 total, added = 1;

	while ((total = kng_pool_total()) < goal && added && memory_allows()) {
		/* Whole chunks, but no more than max_jobs. */
		u32 jobs = min(round_up(goal - total, KNG_CHUNK_JOBS),
			       kng_params.max_jobs - total);

		added = kng_pool_grow(min(jobs, STEP));
		kng_exact_raise(added);
		kng_count_many(KNG_GROWN, added);
	}
	if (total >= goal)
		memory_short = false;
}

/* Returns true if the surplus is large and has lasted for an INTERVAL. */
static bool surplus_lasts(u32 surplus)
{
	if (!is_large(surplus))
		surplus_since = 0;
	else if (!surplus_since)
		surplus_since = jiffies | 1;
	return surplus_since && time_after_eq(jiffies, surplus_since + INTERVAL);
}

static void trim(u32 goal)
{
	u32 total = kng_pool_total();
	u32 surplus = total > goal ? total - goal : 0;

	/* The total includes marked jobs. So mark no more until those are freed. */
	if (surplus_lasts(surplus) && !kng_pool_shrinks() && kng_exact_lower(surplus))
		kng_exact_raise(surplus - kng_pool_mark(surplus));
	if (kng_pool_shrinks())
		kng_count_many(KNG_TRIMMED, kng_pool_collect());
}

/* Returns true if the recent peak still raises the headroom. */
static bool decay_recent_peak(void)
{
	static unsigned long next = INITIAL_JIFFIES;
	unsigned int was = READ_ONCE(recent_peak);

	if (time_after_eq(jiffies, next)) {
		WRITE_ONCE(recent_peak, max(kng_pool_in_use(), was / 2));
		next = jiffies + INTERVAL;
	}
	return headroom_for(was) > kng_params.headroom;
}

static void resize(struct work_struct *work)
{
	u64 start = ktime_get_mono_fast_ns();
	u32 before = kng_pool_total();
	bool again = decay_recent_peak();
	u64 wanted;
	u32 goal;

	WRITE_ONCE(at_rest, false);
	smp_mb(); /* Pairs with the one in kng_reserve_map_changed(). */
	headroom = headroom_for(READ_ONCE(recent_peak));
	wanted = want();
	goal = min_t(u64, wanted, kng_params.max_jobs);
	grow(goal);
	trim(goal);
	/* Jobs that were marked when the goal was lower may be freed only now. */
	grow(goal);

	WRITE_ONCE(shortfall, wanted > kng_pool_total() ? wanted - kng_pool_total() : 0);
	if (shortfall)
		note_shortage();
	again |= kng_report(wanted, shortfall);
	if (kng_pool_total() != before || shortfall)
		trace_pool_resized(before, kng_pool_total(), wanted);
	if (!shortfall)
		kng_maps_note_covered(start);
	/* With shrink=Y nothing calls kng_reserve_changed() when references go. */
	if (again || surplus_since || kng_pool_shrinks() || kng_pool_total() < goal ||
	    (kng_params.shrink && kng_pool_total() > kng_params.jobs))
		queue_delayed_work(workqueue, &resize_work, INTERVAL);
	else
		WRITE_ONCE(at_rest, !shortfall && !floors_are_cut());
}

int kng_reserve_init(void (*on_shortage)(void))
{
	note_shortage = on_shortage;
	workqueue = alloc_workqueue("kptr_nmi_guard_reserve", WQ_UNBOUND | WQ_HIGHPRI, 1);
	return workqueue ? 0 : -ENOMEM;
}

void kng_reserve_settle(void)
{
	kng_reserve_changed();
	flush_delayed_work(&resize_work);
}

unsigned int kng_reserve_peak(void)
{
	return READ_ONCE(peak);
}

u64 kng_reserve_shortfall(void)
{
	return READ_ONCE(shortfall);
}

void kng_reserve_show(struct seq_buf *m)
{
	seq_buf_printf(m, "maps_watched: %u\n", kng_maps_watched());
	seq_buf_printf(m, "maps_unwatched: %u\n", kng_unwatched());
	seq_buf_printf(m, "reserved: %llu\n", kng_maps_charged());
	seq_buf_printf(m, "floors: %llu\n", kng_maps_floors());
	seq_buf_printf(m, "headroom: %u\n", READ_ONCE(headroom));
	seq_buf_printf(m, "wanted: %llu\n", want());
	seq_buf_printf(m, "shortfall: %llu\n", kng_reserve_shortfall());
}

void kng_reserve_exit(void)
{
	cancel_delayed_work_sync(&resize_work);
	destroy_workqueue(workqueue);
}
