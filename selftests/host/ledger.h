/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Players that call one pool, and the ledger that knows who owns which job.
 *
 * Checked at any time: no job is both idle and owned, or idle twice; idle is
 * not too small; total is not too large; who is in the middle of a call hides no
 * more jobs than that call may, the sweeper one. Checked of each pop: it takes a
 * job that nobody owns; NULL only if both stacks were empty at some time during the
 * call. Checked when a chunk is gone: nobody owns a job of it. Checked at the end:
 * each job is where it belongs, idle and total are exact; a chunk that is going is
 * gone after one more sweep.
 *
 * What a player does is a string:
 *	p  pop, keep the job		r  push the job kept longest
 *	R  push the one kept last	c  push all that are kept as one chain
 * One player of them may also resize:
 *	a  add the second chunk, if it is not there
 *	m  mark it			f  free it, if it is gone
 *	s  sweep all, to the spare	S  the same for one job
 *	b  sweep all, back		B  the same for one job
 * "ppr" is the ABA schedule: pop A and B, push A back.
 *
 * A chunk is freed when the pops that ran when it was gone have ended; pushes
 * are not waited for. Its memory is overwritten then, as by its next owner.
 *
 * The test that includes this decides in run_call() what comes in between.
 */
#ifndef SELFTESTS_HOST_LEDGER_H
#define SELFTESTS_HOST_LEDGER_H

#include <kng_resize.h>

#include "chain.h"
#include "tap.h"

#define MAX_FIRST	8
#define CHUNK		3	/* jobs that `a' adds */
#define MAX_JOBS	(MAX_FIRST + CHUNK)
#define MAX_CHUNKS	2
#define MAX_PLAYERS	4
#define ALL		(2 * MAX_JOBS)	/* more than there are */
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

/* One call of the pool. */
struct call {
	char op;
	struct kng_job *first, *last;
	u32 nr;
	struct kng_job *popped;
	bool gone;
};

static struct kng_pool pool;
static struct kng_job jobs[MAX_JOBS];	/* the second chunk is at MAX_FIRST */
static int owner[MAX_JOBS];
static struct player players[MAX_PLAYERS];
static unsigned int nr_players;
static u32 gone_slot;		/* waits for pops to end; or NO_SLOT */

static const char *broken;	/* first thing that went wrong in this run */
static unsigned long runs, nulls, freed, awaited;

static void run_call(struct player *player, struct call *call);

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

static void call_pool(void *arg)
{
	struct call *call = arg;

	switch (call->op) {
	case 'p':
		call->popped = kng_pool_pop(&pool);
		break;
	case 'r':
	case 'R':
		kng_pool_push(&pool, call->first);
		break;
	case 'c':
		push_chain(&pool, call->first, call->last, call->nr);
		break;
	case 'a':
		kng_resize_add(&pool, &jobs[MAX_FIRST], CHUNK);
		break;
	case 'm':
		kng_resize_mark(&pool, second_slot());
		break;
	case 's':
	case 'S':
		kng_resize_sweep(&pool, false, call->op == 's' ? ALL : 1);
		break;
	case 'b':
	case 'B':
		kng_resize_sweep(&pool, true, call->op == 'b' ? ALL : 1);
		break;
	case 'f':
		call->gone = kng_resize_gone(&pool, second_slot());
		break;
	}
}

static void give_up(struct player *player, int first, int nr)
{
	int i;

	player->hides = nr;
	for (i = first; i < first + nr; i++)
		owner[player->held[i] - jobs] = NOBODY;
	memmove(&player->held[first], &player->held[first + nr],
		(player->nr_held - first - nr) * sizeof(player->held[0]));
	player->nr_held -= nr;
}

static void take(struct player *player, struct kng_job *job, int shortest)
{
	if (!job) {
		nulls++;
		if (shortest > 0)
			fail("pop says empty, but there was always a job");
		return;
	}
	if (owner[job - jobs] != NOBODY)
		fail("pop took a job that is in use");
	owner[job - jobs] = player - players;
	if (player->nr_held == MAX_JOBS)
		fail("more jobs than there are");
	else
		player->held[player->nr_held++] = job;
}

/* Is there something to do? If so, prepare it. */
static bool prepare(struct player *player, struct call *call)
{
	u32 slot = second_slot();
	int i;

	switch (call->op) {
	case 'a':
		player->hides = CHUNK;
		return slot == NO_SLOT;
	case 'm':
		return slot != NO_SLOT && !pool.chunk[slot].going;
	case 'f':
		return slot != NO_SLOT && gone_slot == NO_SLOT;
	case 'r':
	case 'R':
		if (!player->nr_held)
			return false;
		i = call->op == 'r' ? 0 : player->nr_held - 1;
		call->first = player->held[i];
		give_up(player, i, 1);
		return true;
	case 'c':
		if (!player->nr_held)
			return false;
		call->nr = player->nr_held;
		call->first = player->held[0];
		call->last = player->held[call->nr - 1];
		for (i = 0; i + 1 < player->nr_held; i++)
			player->held[i]->next = player->held[i + 1]->index;
		give_up(player, 0, call->nr);
		return true;
	}
	player->hides = 1;
	return true;
}

static void play_one(struct player *player, char op)
{
	struct call call = { .op = op };
	int shortest;

	player->op = op;
	if (prepare(player, &call)) {
		note_length();
		if (op == 'p')
			player->shortest = audit();
		run_call(player, &call);
		shortest = player->shortest;
		player->shortest = NOT_CALLING;
		player->awaited = false;
		if (op == 'p')
			take(player, call.popped, shortest);
		if (op == 'a' && pool.chunk[second_slot()].going)
			fail("a new chunk is going");
		if (call.gone)
			await_pops(second_slot());
	}
	player->op = 0;
	player->hides = 0;
	free_gone();
	note_length();
}

static void play(struct player *player)
{
	const char *op;

	for (op = player->script; *op && !broken; op++)
		play_one(player, *op);
}

/*
 * The stack from above: a job of the second chunk, one of the first, one of the
 * second...
 */
static void mix(int nr, int second)
{
	int i;

	while (kng_pool_pop(&pool))
		;
	for (i = nr > second ? nr : second; i >= 0; i--) {
		if (i < nr)
			kng_pool_push(&pool, &jobs[i]);
		if (i < second)
			kng_pool_push(&pool, &jobs[MAX_FIRST + i]);
	}
}

/*
 * A fresh pool: @nr jobs in the first chunk, @second in the second one; each
 * player holds up to @held.
 */
static void ledger_start(int nr, int second, int held)
{
	unsigned int i;
	int j;

	/* Not all of the table: it is long. */
	memset(&pool, 0, offsetof(struct kng_pool, chunk[MAX_CHUNKS + 1]));
	memset(jobs, 0, sizeof(jobs));
	kng_pool_init(&pool);
	if (nr)
		kng_resize_add(&pool, jobs, nr);
	if (second) {
		kng_resize_add(&pool, &jobs[MAX_FIRST], second);
		mix(nr, second);
	}
	for (j = 0; j < MAX_JOBS; j++)
		owner[j] = NOBODY;
	gone_slot = NO_SLOT;
	broken = NULL;
	runs++;

	for (i = 0; i < nr_players; i++) {
		players[i].nr_held = 0;
		players[i].shortest = NOT_CALLING;
		players[i].op = 0;
		players[i].hides = 0;
		players[i].awaited = false;
		for (j = 0; j < held; j++) {
			struct kng_job *job = kng_pool_pop(&pool);

			if (job)
				take(&players[i], job, 0);
		}
	}
}

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

/* All give back what they hold; then one sweep must do. */
static void finish_going(u32 slot)
{
	unsigned int i;

	for (i = 0; i < nr_players; i++)
		while (players[i].nr_held) {
			struct kng_job *job = players[i].held[0];

			give_up(&players[i], 0, 1);
			kng_pool_push(&pool, job);
			players[i].hides = 0;
		}
	audit_quiet();
	if (kng_resize_sweep(&pool, false, ALL) || kng_resize_sweep(&pool, true, ALL))
		fail("a sweep that nobody disturbs does not end");
	if (kng_resize_gone(&pool, slot)) {
		await_pops(slot);
		free_gone();
	} else {
		fail("a chunk is not gone, though all its jobs came back");
	}
	audit_quiet();
}

static void ledger_end(void)
{
	u32 slot = second_slot();

	audit_quiet();
	if (!broken && slot != NO_SLOT && pool.chunk[slot].going)
		finish_going(slot);
}

#endif /* SELFTESTS_HOST_LEDGER_H */
