/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ledger of a pool that players call (players.h): who owns which job.
 *
 * Checked at any time: no job is both idle and owned, or idle twice; idle is
 * not too large; total is not too large; who is in the middle of a call hides no
 * more jobs than that call may, the sweeper one. Checked of each pop: it takes a
 * job that nobody owns; NULL only if all stacks were empty at some time during the
 * call. Checked of each count: at some time during the call no more jobs were idle,
 * at some time no more were in use.
 * Checked when a chunk is gone: nobody owns a job of it. Checked at the end:
 * each job is where it belongs, idle and total are exact; a chunk that is going is
 * gone after one more sweep.
 *
 * A chunk is freed when the pops that ran when it was gone have ended; pushes
 * are not waited for. Its memory is overwritten then, as by its next owner.
 */
#ifndef SELFTESTS_HOST_LEDGER_H
#define SELFTESTS_HOST_LEDGER_H

#define SETUP_CPUS	4
#define SETUP_CHUNKS	3	/* one more than is used */
#include "setup.h"
#include "tap.h"

#define MAX_FIRST	8
#define CHUNK		3	/* jobs that `a' adds */
#define MAX_JOBS	(MAX_FIRST + CHUNK)
#define MAX_CHUNKS	2
#define MAX_PLAYERS	4
#define NOBODY		(-1)
#define NOT_CALLING	(-1)
#define NO_SLOT		SETUP_CHUNKS

struct player {
	const char *script;
	struct kng_job *held[MAX_JOBS];
	int nr_held;
	int shortest;		/* all stacks together, during this player's call */
	int longest;
	int least_used;
	u32 first_cpu, cpu;
	char op;		/* the call that it makes, or 0 */
	int hides;		/* which may hide so many jobs */
	bool awaited;		/* its pop might see the chunk that is gone */
};

static struct kng_pool pool;
static struct kng_job jobs[MAX_JOBS];	/* the second chunk is at MAX_FIRST */
static int owner[MAX_JOBS];
static struct player players[MAX_PLAYERS];
static unsigned int nr_players;
static u32 nr_cpus = 1;
static bool weak;		/* loads may return values from before the call */
static int shortest_ever, longest_ever, least_used_ever;
static bool spread;		/* at the start: all stacks have jobs, not the first one only */
static u32 gone_slot;		/* waits for pops to end; or NO_SLOT */

static const char *broken;	/* first thing that went wrong in this run */
static unsigned long runs, nulls, freed, awaited, counts;

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

static int walk(const struct kng_stack *stack, bool *seen)
{
	u32 index = stack->head.counter & KNG_INDEX_MASK;
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

/* What the counters say at this moment. */
static int counted_idle(void)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i <= pool.nr_cpus; i++)
		sum += ((u64)pool.stack[i].pushed.counter << KNG_INDEX_BITS) -
		       ((u64)pool.stack[i].head.counter & KNG_TAG_MASK);
	return (s64)sum >> KNG_INDEX_BITS;
}

/* Check everything. Returns how many jobs are in the stacks. */
static int audit(void)
{
	bool seen[MAX_JOBS] = { false };
	int length = 0, there = 0, owned = 0, hidden = 0, adding = 0;
	unsigned int i;

	for (i = 0; i <= pool.nr_cpus; i++)
		length += walk(&pool.stack[i], seen);
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
	if (length > pool.total.counter)
		fail("more jobs are idle than there are");
	if (counted_idle() > length)
		fail("idle is too large");
	if (pool.total.counter > there + adding)
		fail("total is too large: a job was counted as retired too early");
	return length;
}

static void note_player(struct player *player, int length)
{
	int used = pool.total.counter - length;

	if (player->shortest == NOT_CALLING)
		return;
	if (player->shortest > length)
		player->shortest = length;
	if (player->longest < length)
		player->longest = length;
	if (player->least_used > used)
		player->least_used = used;
}

/* Audit, and note for each call that is under way how short the stacks were. */
static void note_length(void)
{
	int length = audit();
	unsigned int i;

	if (shortest_ever > length)
		shortest_ever = length;
	if (longest_ever < length)
		longest_ever = length;
	if (least_used_ever > pool.total.counter - length)
		least_used_ever = pool.total.counter - length;
	for (i = 0; i < nr_players; i++)
		note_player(&players[i], length);
}

/* Nobody is in the middle of a call: exact. */
static void audit_quiet(void)
{
	int length = audit(), total = 0;
	unsigned int i;

	for (i = 0; i < MAX_CHUNKS; i++)
		if (pool.chunk[i].jobs)
			total += pool.chunk[i].nr - pool.chunk[i].retired.counter;
	if (counted_idle() != length || kng_pool_idle(&pool) != length)
		fail("idle is wrong when quiet");
	if (kng_pool_used(&pool) != pool.total.counter - length)
		fail("in use is wrong when quiet");
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
		players[i].awaited = players[i].op == 'p' &&
				     players[i].shortest != NOT_CALLING;
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
