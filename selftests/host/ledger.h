/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Players that call one pool, and the ledger that knows who owns which job.
 *
 * Checked at any time: no job is both idle and owned, or idle twice; idle is
 * not too small. Checked of each pop: it takes a job that nobody owns; NULL only
 * if the stack was empty at some time during the call. Checked at the end: each
 * job is where it belongs, idle is exact.
 *
 * What a player does is a string:
 *	p  pop, keep the job		r  push the job kept longest
 *	R  push the one kept last	c  push all that are kept as one chain
 *	a  add a chunk, if there is none
 * "ppr" is the ABA schedule: pop A and B, push A back.
 *
 * The test that includes this decides in run_call() what comes in between.
 */
#ifndef SELFTESTS_HOST_LEDGER_H
#define SELFTESTS_HOST_LEDGER_H

#include <kng_pool.h>

#include "tap.h"

#define MAX_JOBS	8
#define MAX_PLAYERS	4
#define CHUNK		3	/* jobs that `a' adds */
#define NOBODY		(-1)
#define NOT_CALLING	(-1)

struct player {
	const char *script;
	struct kng_job *held[MAX_JOBS];
	int nr_held;
	int shortest;		/* stack during this player's pop */
};

/* One call of the pool. */
struct call {
	char op;
	struct kng_job *first, *last;
	u32 nr;
	struct kng_job *popped;
};

static struct kng_pool pool;
static struct kng_job jobs[MAX_JOBS];
static int owner[MAX_JOBS];
static struct player players[MAX_PLAYERS];
static unsigned int nr_players;

static const char *broken;	/* first thing that went wrong in this run */
static unsigned long runs, nulls;

static void run_call(struct player *player, struct call *call);

static void fail(const char *what)
{
	if (!broken)
		broken = what;
}

/* Walk the stack and check it. Returns its length. */
static int audit(void)
{
	bool seen[MAX_JOBS] = { false };
	u32 index = pool.head.counter & KNG_INDEX_MASK;
	int length = 0;

	while (index != KNG_INDEX_NONE) {
		if (index >= pool.total) {
			fail("a link leads out of the pool");
			return length;
		}
		if (seen[index]) {
			fail("a job is in the stack twice");
			return length;
		}
		seen[index] = true;
		if (owner[index] != NOBODY)
			fail("a job is in the stack and in use");
		length++;
		index = jobs[index].next;
	}
	if (pool.idle.counter < length)
		fail("idle is too small");
	return length;
}

/* Audit, and note for each pop that is under way how short the stack was. */
static void note_length(void)
{
	int length = audit();
	unsigned int i;

	for (i = 0; i < nr_players; i++)
		if (players[i].shortest > length)
			players[i].shortest = length;
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
		kng_pool_push_chain(&pool, call->first, call->last, call->nr);
		break;
	case 'a':
		kng_pool_add(&pool, jobs, CHUNK);
		break;
	}
}

static void give_up(struct player *player, int first, int nr)
{
	int i;

	for (i = first; i < first + nr; i++)
		owner[player->held[i]->index] = NOBODY;
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
	if (owner[job->index] != NOBODY)
		fail("pop took a job that is in use");
	owner[job->index] = player - players;
	if (player->nr_held == MAX_JOBS)
		fail("more jobs than there are");
	else
		player->held[player->nr_held++] = job;
}

static void play_one(struct player *player, char op)
{
	struct call call = { .op = op };
	int i;

	switch (op) {
	case 'a':
		if (pool.total)
			return;
		break;
	case 'r':
	case 'R':
		if (!player->nr_held)
			return;
		i = op == 'r' ? 0 : player->nr_held - 1;
		call.first = player->held[i];
		give_up(player, i, 1);
		break;
	case 'c':
		if (!player->nr_held)
			return;
		call.nr = player->nr_held;
		call.first = player->held[0];
		call.last = player->held[call.nr - 1];
		for (i = 0; i + 1 < player->nr_held; i++)
			player->held[i]->next = player->held[i + 1]->index;
		give_up(player, 0, call.nr);
		break;
	}

	note_length();
	player->shortest = audit();
	run_call(player, &call);
	i = player->shortest;
	player->shortest = NOT_CALLING;
	if (op == 'p')
		take(player, call.popped, i);
	note_length();
}

static void play(struct player *player)
{
	const char *op;

	for (op = player->script; *op && !broken; op++)
		play_one(player, *op);
}

/* A fresh pool of @nr jobs, of which each player holds up to @held. */
static void ledger_start(int nr, int held)
{
	unsigned int i;
	int j;

	memset(&pool, 0, sizeof(pool));
	memset(jobs, 0, sizeof(jobs));
	kng_pool_init(&pool);
	if (nr)
		kng_pool_add(&pool, jobs, nr);
	for (j = 0; j < MAX_JOBS; j++)
		owner[j] = NOBODY;
	broken = NULL;
	runs++;

	for (i = 0; i < nr_players; i++) {
		players[i].nr_held = 0;
		players[i].shortest = NOT_CALLING;
		for (j = 0; j < held; j++) {
			struct kng_job *job = kng_pool_pop(&pool);

			if (job)
				take(&players[i], job, 0);
		}
	}
}

static void ledger_end(void)
{
	int j, length = audit();

	for (j = 0; j < (int)pool.total; j++)
		if (owner[j] == NOBODY)
			length--;
	if (length)
		fail("a job is neither in the stack nor in use");
	if (pool.idle.counter != audit())
		fail("idle is wrong when quiet");
}

#endif /* SELFTESTS_HOST_LEDGER_H */
