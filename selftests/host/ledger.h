/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ledger of a pool that players call (players.h): who owns which job.
 *
 * Checked at any time: no job is both idle and owned, or idle twice; idle is
 * not too small; total is not too large; who is in the middle of a call hides no
 * more jobs than that call may, the sweeper one. Checked of each pop: it takes a
 * job that nobody owns; NULL only if both stacks were empty at some time during the
 * call. Checked when a chunk is gone: nobody owns a job of it. Checked at the end:
 * each job is where it belongs, idle and total are exact; a chunk that is going is
 * gone after one more sweep.
 *
 * A chunk is freed when the pops that ran when it was gone have ended; pushes
 * are not waited for. Its memory is overwritten then, as by its next owner.
 */
#ifndef SELFTESTS_HOST_LEDGER_H
#define SELFTESTS_HOST_LEDGER_H

#include <kng_resize.h>

#include "tap.h"

#define MAX_FIRST	8
#define CHUNK		3	/* jobs that `a' adds */
#define MAX_JOBS	(MAX_FIRST + CHUNK)
#define MAX_CHUNKS	2
#define MAX_PLAYERS	4
#define NOBODY		(-1)
#define NOT_CALLING	(-1)
#define NO_SLOT		KNG_MAX_CHUNKS

struct player {
	const char *script;
	struct kng_job *held[MAX_JOBS];
	int nr_held;
	int shortest;		/* both stacks together, during this player's pop */
	char op;		/* the call that it makes, or 0 */
	int hides;		/* which may hide so many jobs */
	bool awaited;		/* its pop might see the chunk that is gone */
};

static struct kng_pool pool;
static struct kng_job jobs[MAX_JOBS];	/* the second chunk is at MAX_FIRST */
static int owner[MAX_JOBS];
static struct player players[MAX_PLAYERS];
static unsigned int nr_players;
static u32 gone_slot;		/* waits for pops to end; or NO_SLOT */

static const char *broken;	/* first thing that went wrong in this run */
static unsigned long runs, nulls, freed, awaited;

static void fail(const char *what)
{
	if (!broken)
		broken = what;
}

/* Where the second chunk is in the table. */
static u32 second_slot(void)
{
	u32 slot;

	for (slot = 0; slot < MAX_CHUNKS; slot++)
		if (pool.chunk[slot].jobs == &jobs[MAX_FIRST])
			return slot;
	return NO_SLOT;
}

static int walk(const atomic64_t *stack, bool *seen)
{
	u32 index = stack->counter & KNG_INDEX_MASK;
	int length = 0;

	while (index != KNG_INDEX_NONE) {
		u32 slot = index >> KNG_CHUNK_SHIFT;
		struct kng_job *job;

		if (slot >= MAX_CHUNKS || !pool.chunk[slot].jobs ||
		    (index & (KNG_CHUNK_JOBS - 1)) >= pool.chunk[slot].nr) {
			fail("a link leads out of the pool");
			break;
		}
		job = kng_pool_job(&pool, index);
		if (seen[job - jobs]) {
			fail("a job is in the stacks twice");
			break;
		}
		seen[job - jobs] = true;
		if (owner[job - jobs] != NOBODY)
			fail("a job is in the stack and in use");
		length++;
		index = job->next;
	}
	return length;
}

/* Check everything. Returns how many jobs are in the stacks. */
static int audit(void)
{
	bool seen[MAX_JOBS] = { false };
	int length, there = 0, owned = 0, hidden = 0, adding = 0;
	unsigned int i;

	length = walk(&pool.head, seen);
	length += walk(&pool.spare, seen);
	for (i = 0; i < MAX_CHUNKS; i++)
		if (pool.chunk[i].jobs)
			there += pool.chunk[i].nr - pool.chunk[i].retired.counter;
	for (i = 0; i < MAX_JOBS; i++)
		owned += owner[i] != NOBODY;
	for (i = 0; i < nr_players; i++) {
		hidden += players[i].hides;
		if (players[i].op == 'a')
			adding = CHUNK;
	}
	if (there - length - owned > hidden)
		fail("a job is hidden that should be idle, in use or retired");
	if (there - length - owned < 0)
		fail("a job is retired, yet still there");
	if (pool.total.counter - pool.in_use.counter < length)
		fail("idle is too small");
	if (pool.total.counter > there + adding)
		fail("total is too large: a job was counted as retired too early");
	return length;
}

/* Audit, and note for each pop that is under way how short the stacks were. */
static void note_length(void)
{
	int length = audit();
	unsigned int i;

	for (i = 0; i < nr_players; i++)
		if (players[i].shortest > length)
			players[i].shortest = length;
}

/* Nobody is in the middle of a call: exact. */
static void audit_quiet(void)
{
	int length = audit(), total = 0;
	unsigned int i;

	for (i = 0; i < MAX_CHUNKS; i++)
		if (pool.chunk[i].jobs)
			total += pool.chunk[i].nr - pool.chunk[i].retired.counter;
	if (pool.total.counter - pool.in_use.counter != length)
		fail("idle is wrong when quiet");
	if (pool.total.counter != total)
		fail("total is wrong when quiet");
}

/* A chunk is gone: who might still see it? Nobody may own a job of it. */
static void await_pops(u32 slot)
{
	unsigned int i;

	for (i = 0; i < MAX_JOBS; i++)
		if (owner[i] != NOBODY && (u32)jobs[i].index >> KNG_CHUNK_SHIFT == slot)
			fail("a chunk is gone, but one of its jobs is in use");
	gone_slot = slot;
	for (i = 0; i < nr_players; i++) {
		players[i].awaited = players[i].shortest != NOT_CALLING;
		awaited += players[i].awaited;
	}
}

/* The end of the grace period, if nobody is left to wait for. */
static void free_gone(void)
{
	struct kng_job *memory;
	u32 slot = gone_slot;
	unsigned int i;

	if (slot == NO_SLOT)
		return;
	for (i = 0; i < nr_players; i++)
		if (players[i].awaited)
			return;
	gone_slot = NO_SLOT;
	memory = kng_resize_remove(&pool, slot);
	if (memory != &jobs[MAX_FIRST])
		fail("other memory comes out than went in");
	memset(&jobs[MAX_FIRST], 0xee, CHUNK * sizeof(jobs[0]));
	freed++;
}

#endif /* SELFTESTS_HOST_LEDGER_H */
