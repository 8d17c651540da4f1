/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One CPU's queue (module/offload.c, module/queue.c), for SPIN: no job is left
 * behind, run twice, or run in NMI.
 *
 * What runs, and what it interrupts:
 *	nmi[0]		the CPU's NMI, at any step of what follows
 *	nmi[1]		an NMI in that one (int3, #DB)
 *	irq		the irq_work, at any step of the worker with interrupts on
 *	worker		on this CPU, or on another one while this one is offline
 *	hotplug		takes the CPU down and up again, once
 *
 * Jobs are told apart, so that one that is run twice or lost shows. A statement
 * is a step, as an atomic instruction or an access to shared memory is; the
 * list is llist's, whose calls are one exchange each. Memory is sequentially
 * consistent: all that is shared here is under the lock, or exchanged by fully
 * ordered instructions (llist, irq_work's claim). Bounds: JOBS jobs, a budget of
 * one, one trip of the CPU.
 *
 * Checked: assertions, no deadlock, and when nothing moves any more that each
 * job that was queued was run, once, and that a dead CPU's irq_work is not raised.
 *
 * Written after these functions (selftests/host/models compares):
 *	= module/queue.h kng_queue_add ee107e107abd
 *	= module/queue.h kng_queue_raise 0fcf62b3cbd6
 *	= module/offload.c kng_offload_queue a91bbbfdf981
 *	= module/queue.c kng_queue_detach e00faa36b8de
 *	= module/queue.c queue_online 2faf8bddad38
 *	= module/queue.c queue_offline 37e9b1e4b3a3
 *	= module/queue.c queue_dead 3f8c4e4893cb
 *	= module/drain.c out_of_budget 0b0cea4eaa2a
 *	= module/drain.c drain c5b355b2fde4
 *	= module/drain.c drain_in_task 7d87ca56d002
 *	= module/drain.c run_irq_work e56a0df396dc
 *	= module/drain.c run_work 3eb748c3097e
 *
 * Each BUG_ is a bug that has to be found (run by the model test).
 */
#ifndef JOBS
#define JOBS 3
#endif

/* Sets of jobs, a bit each. */
byte pending, rest, done, queued;
byte next_job = 1;

bool irq_claimed, work_pending, locked, irqs_off;
bool may_raise = true, online = true;
byte nmi_depth;		/* NMIs under way on this CPU */
bool in_irq;

/* When a context may go on: nothing that interrupts it runs on this CPU. */
#define NMI_GOES	(nmi_depth == 1)
#define INNER_GOES	(nmi_depth == 2)
#define IRQ_GOES	(nmi_depth == 0)
#define TASK_GOES	(nmi_depth == 0 && !in_irq)
#define WORKER_GOES	(!here || !online || TASK_GOES)
#define OTHER_GOES	true

/* One step of such a context */
#define STEP(GO, what)	atomic { GO -> what }

#define lowest(set) ((set) & -(set))

/* kng_queue_raise(), and irq_work_queue()'s claim */
inline raise(GO)
{
	STEP(GO, flag = may_raise);
	STEP(GO, irq_claimed = irq_claimed || flag)
}

/* llist_add(): says if the list was empty */
inline add(GO)
{
	STEP(GO, flag = (pending == 0); pending = pending | next_job;
	     queued = queued | next_job; next_job = next_job << 1)
}

/* kng_offload_queue() */
inline queue_job(GO)
{
	add(GO);
	if
	:: flag -> raise(GO)
	:: else
	fi
}

#define CAN_QUEUE (next_job < (1 << JOBS))

active proctype nmi()
{
	bool flag;

end:	do
	:: STEP(CAN_QUEUE && nmi_depth == 0, nmi_depth = 1);
	   queue_job(NMI_GOES);
	   STEP(NMI_GOES, nmi_depth = 0)
	od
}

active proctype nmi_in_nmi()
{
	bool flag;

end:	do
	:: STEP(CAN_QUEUE && nmi_depth == 1, nmi_depth = 2);
	   queue_job(INNER_GOES);
	   STEP(INNER_GOES, nmi_depth = 1)
	od
}

/* detach(), of one job */
inline detach(GO)
{
#ifndef BUG_NO_LOCK
	STEP(GO && !locked, locked = true);
#endif
	STEP(GO, all = rest);
	STEP(GO, left = (pending != 0));
	if
#ifdef BUG_REST_LOST
	:: true ->
#else
	:: all == 0 && left ->
#endif
		STEP(GO, all = pending; pending = 0); /* llist_del_all() */
		STEP(GO, rest = all)
#ifndef BUG_REST_LOST
	:: else
#endif
	fi;
	mine = all & -all;
	STEP(GO, rest = all & (255 - mine));
	STEP(GO, left = (rest != 0));
	STEP(GO, left = left || (pending != 0));
	STEP(GO, locked = false)
}

/* run_job() */
inline run_mine(GO)
{
	STEP(GO, assert((done & mine) == 0); done = done | mine)
}

active proctype irq_work()
{
	byte mine, all;
	bool left;

end:	do
	:: STEP(irq_claimed && online && TASK_GOES && !irqs_off, in_irq = true);
#ifndef BUG_CLAIM_LATE
	   STEP(IRQ_GOES, irq_claimed = false);
#endif
	   do
	   :: detach(IRQ_GOES);
	      run_mine(IRQ_GOES);
	      if
	      :: break
	      :: left /* past its budget, where jobs are short */
	      fi
	   od;
#ifndef BUG_NO_HANDOFF
	   STEP(IRQ_GOES, work_pending = work_pending || left);
#endif
#ifdef BUG_CLAIM_LATE
	   STEP(IRQ_GOES, irq_claimed = false);
#endif
	   STEP(IRQ_GOES, in_irq = false)
	od
}

active proctype worker()
{
	byte mine, all;
	bool left, here;

end:	do
	:: STEP(work_pending && (!online || TASK_GOES), work_pending = false);
	   do
	   :: /* On this CPU if there is one; with interrupts off it stays there. */
	      STEP(!online || TASK_GOES, here = online; irqs_off = here);
	      detach(WORKER_GOES);
	      STEP(WORKER_GOES, irqs_off = false);
	      run_mine(WORKER_GOES);
	      if
	      :: left
	      :: else -> break
	      fi
	   od
	od
}

/* queue_offline() on the CPU, queue_dead() on another one, queue_online() on it */
active proctype hotplug()
{
	byte mine, all;
	bool left;

#ifdef BUG_SYNC_FIRST
	(TASK_GOES && !irq_claimed);
	STEP(TASK_GOES, may_raise = false);
#else
	STEP(TASK_GOES, may_raise = false);
	(TASK_GOES && !irq_claimed); /* irq_work_sync() */
#endif
	/* The CPU dies; that was its last NMI. */
	STEP(TASK_GOES && !irqs_off, online = false; nmi_depth = 9);
#ifndef BUG_NOT_DRAINED
	do
	:: detach(OTHER_GOES);
	   run_mine(OTHER_GOES);
	   if
	   :: left
	   :: else -> break
	   fi
	od;
#endif
	if
	:: true /* It stays down. */
	:: STEP(OTHER_GOES, nmi_depth = 0; online = true);
	   STEP(TASK_GOES, may_raise = true);
#ifndef BUG_ONLINE_BLIND
	   STEP(TASK_GOES, irq_claimed = irq_claimed || (pending != 0))
#endif
	fi
}

/* When nothing moves any more */
active proctype quiet()
{
end:	timeout;
	assert(done == queued && pending == 0 && rest == 0);
	/* Else irq_work_sync() at unload would wait for ever. */
	assert(online || !irq_claimed)
}
