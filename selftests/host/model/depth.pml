/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The recursion guard of one CPU (include/kng_depth.h), for SPIN: at most one of those
 * that are inside at once is alone, and the word is 0 in the end.
 *
 * What runs, each once and tasks twice, and what it interrupts:
 *	task[0], task[1]	level 0; they preempt each other, but not in enter and exit
 *	hardirq			level 2, at any step of a task
 *	nmi			level 3, at any step of these
 *	inner			level 3, at any step of the NMI (int3, #DB): one that comes
 *				upon its own level
 *
 * A step is one access to memory: load and store of a byte are two. The read of the
 * word is one.
 *
 * Written after these functions (selftests/host/models compares):
 *	= include/kng_depth.h kng_depth_enter 3793bcfdbed2
 *	= include/kng_depth.h kng_depth_exit 35758911ba90
 *	= include/kng_depth.h kng_depth_is_alone 50cfb91fad2b
 *
 * Each BUG_ is a bug that has to be found (run by the model test).
 */
byte level[4];
byte alone_inside;	/* entries that are inside and were told that they are alone */
byte ended;

#define NOBODY 255
byte preempt_off = NOBODY;	/* the task that has it off */
byte hardirqs, nmis, inners;	/* under way */

#define INNER_GOES	true
#define NMI_GOES	(!inners)
#define HARDIRQ_GOES	(!inners && !nmis)
#define TASK_GOES	(!inners && !nmis && !hardirqs && (preempt_off == NOBODY || preempt_off == me))

#define STEP(GO, what)	atomic { GO -> what }

#ifdef BUG_OWN_LEVEL
#define ALONE(l)	(level[l] == 1)
#else
#define ALONE(l)	(level[l] == 1 && level[0] + level[1] + level[2] + level[3] == 1)
#endif

#ifdef BUG_FLAG
#define INCREMENTED	1
#define DECREMENTED	0
#else
#define INCREMENTED	(loaded + 1)
#define DECREMENTED	(loaded - 1)
#endif

/* Of a task; an interrupt leaves it as it is. */
#ifdef BUG_PREEMPTIBLE
#define PREEMPT(TASK, who)	preempt_off
#else
#define PREEMPT(TASK, who)	(TASK -> who : preempt_off)
#endif

#ifdef BUG_REFUSED_STAYS
#define LEAVES		alone
#else
#define LEAVES		true
#endif

/* kng_depth_enter(), the work, kng_depth_exit() */
inline handler(GO, TASK, l)
{
	STEP(GO, preempt_off = PREEMPT(TASK, me); loaded = level[l]);
	STEP(GO, level[l] = INCREMENTED);
	STEP(GO, alone = ALONE(l); alone_inside = alone_inside + alone;
	     assert(alone_inside <= 1); preempt_off = PREEMPT(TASK, NOBODY));
	STEP(GO, skip);
	if
	:: LEAVES ->
		STEP(GO, preempt_off = PREEMPT(TASK, me);
		     alone_inside = alone_inside - alone; loaded = level[l]);
		STEP(GO, level[l] = DECREMENTED; preempt_off = PREEMPT(TASK, NOBODY))
	:: else
	fi
}

active [2] proctype task()
{
	byte loaded, round, me = _pid;
	bool alone;

	do
	:: round < 2 ->
		handler(TASK_GOES, true, 0);
		round++
	:: else -> break
	od;
	ended++
}

active proctype hardirq()
{
	byte loaded, round, me = NOBODY;
	bool alone;

	do
	:: atomic { round < 1 && HARDIRQ_GOES -> hardirqs++ };
		handler(HARDIRQ_GOES, false, 2);
		STEP(HARDIRQ_GOES, hardirqs--);
		round++
	:: break
	od;
	ended++
}

active proctype nmi()
{
	byte loaded, round, me = NOBODY;
	bool alone;

	do
	:: atomic { round < 1 && NMI_GOES -> nmis++ };
		handler(NMI_GOES, false, 3);
		STEP(NMI_GOES, nmis--);
		round++
	:: break
	od;
	ended++
}

active proctype inner()
{
	byte loaded, round, me = NOBODY;
	bool alone;

	do
	:: atomic { round < 1 && nmis -> inners++ };
		handler(INNER_GOES, false, 3);
		STEP(INNER_GOES, inners--);
		round++
	:: break
	od;
	ended++
}

active proctype quiet()
{
	ended == 5 -> assert(!level[0] && !level[1] && !level[2] && !level[3] && !alone_inside)
}
