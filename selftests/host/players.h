/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Players make calls of one pool; before each and after it the ledger is audited.
 *
 * What a player does is a string:
 *	p  pop, keep the job		r  push the job kept longest
 *	R  push the one kept last	c  push all that are kept as one chain
 *	n  count the jobs		0 to 3  go on, on that CPU
 * One player of them may also resize:
 *	a  add the second chunk, if it is not there
 *	m  mark it			f  free it, if it is gone
 *	s  sweep this CPU's stack, to the spare		S  the same for one job
 *	b  sweep the spare, back to this CPU's stack	B  the same for one job
 * "ppr" is the ABA schedule: pop A and B, push A back.
 *
 * The test that includes this decides in run_call() what comes in between.
 */
#ifndef SELFTESTS_HOST_PLAYERS_H
#define SELFTESTS_HOST_PLAYERS_H

#include <ledger.h>

#include "chain.h"

#define ALL		(2 * MAX_JOBS)	/* more than there are */

/* One call of the pool. */
struct call {
	char op;
	struct kng_job *first, *last;
	u32 nr;
	struct kng_job *popped;
	bool gone;
	u32 cpu;
	int idle, used;
};

static void run_call(struct player *player, struct call *call);

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
	case 'n':
		call->idle = kng_pool_idle(&pool);
		call->used = kng_pool_used(&pool);
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
		kng_resize_sweep(&pool, call->cpu, false, call->op == 's' ? ALL : 1);
		break;
	case 'b':
	case 'B':
		kng_resize_sweep(&pool, call->cpu, true, call->op == 'b' ? ALL : 1);
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

/* None too many idle at all times, or none too few in use. */
static void check_count(const struct player *player, const struct call *call)
{
	counts++;
	if (call->idle > player->longest)
		fail("more jobs are counted as idle than ever were");
	if (call->used < player->least_used)
		fail("fewer jobs are counted as in use than ever were");
}

static void play_one(struct player *player, char op)
{
	struct call call = { .op = op, .cpu = player->cpu };
	int shortest;

	player->op = op;
	if (prepare(player, &call)) {
		note_length();
		if (op == 'p' || op == 'n') {
			player->shortest = audit();
			player->longest = player->shortest;
			player->least_used = pool.total.counter - player->longest;
			if (weak) {
				player->shortest = shortest_ever;
				player->longest = longest_ever;
				player->least_used = least_used_ever;
			}
		}
		run_call(player, &call);
		shortest = player->shortest;
		player->shortest = NOT_CALLING;
		player->awaited = false;
		if (op == 'p')
			take(player, call.popped, shortest);
		if (op == 'n')
			check_count(player, &call);
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

static void go_to_cpu(struct player *player, u32 cpu)
{
	player->cpu = cpu;
	kernel_cpu = cpu;
}

static void play(struct player *player)
{
	const char *op;

	for (op = player->script; *op && !broken; op++) {
		if (*op >= '0' && *op <= '3')
			go_to_cpu(player, *op - '0');
		else
			play_one(player, *op);
	}
}

/*
 * The stack from above: a job of the second chunk, one of the first, one of the
 * second... With spread, dealt like that to all CPUs, from the second on.
 */
static void mix(int nr, int second)
{
	int i;

	while (kng_pool_pop(&pool))
		;
	for (i = nr > second ? nr : second; i >= 0; i--) {
		kernel_cpu = spread ? (i + 1) % nr_cpus : 0;
		if (i < nr)
			kng_pool_push(&pool, &jobs[i]);
		if (i < second)
			kng_pool_push(&pool, &jobs[MAX_FIRST + i]);
	}
}

/* So many that all players' CPUs are below. */
static u32 count_cpus(void)
{
	u32 nr = 1, i;
	const char *op;

	for (i = 0; i < nr_players; i++) {
		if (nr <= players[i].first_cpu)
			nr = players[i].first_cpu + 1;
		for (op = players[i].script; *op; op++)
			if (*op >= '0' && *op <= '3' && nr <= (u32)(*op - '0'))
				nr = *op - '0' + 1;
	}
	return nr;
}

/*
 * A fresh pool: @nr jobs in the first chunk, @second in the second one; each
 * player holds up to @held.
 */
static void players_start(int nr, int second, int held)
{
	unsigned int i;
	int j;

	setup_pool(&pool, nr_cpus);
	kernel_cpu = 0;
	memset(jobs, 0, sizeof(jobs));
	if (nr)
		kng_resize_add(&pool, jobs, nr);
	if (second)
		kng_resize_add(&pool, &jobs[MAX_FIRST], second);
	if (second || spread)
		mix(nr, second);
	for (j = 0; j < MAX_JOBS; j++)
		owner[j] = NOBODY;
	gone_slot = NO_SLOT;
	broken = NULL;
	runs++;
	weak = false;

	for (i = 0; i < nr_players; i++) {
		players[i].nr_held = 0;
		players[i].shortest = NOT_CALLING;
		players[i].op = 0;
		players[i].hides = 0;
		players[i].awaited = false;
		go_to_cpu(&players[i], players[i].first_cpu);
		for (j = 0; j < held; j++) {
			struct kng_job *job = kng_pool_pop(&pool);

			if (job)
				take(&players[i], job, 0);
		}
	}
	shortest_ever = audit();
	longest_ever = shortest_ever;
	least_used_ever = pool.total.counter - longest_ever;
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
	for (i = 0; i < nr_cpus; i++)
		if (kng_resize_sweep(&pool, i, false, ALL) || kng_resize_sweep(&pool, i, true, ALL))
			fail("a sweep that nobody disturbs does not end");
	if (kng_resize_gone(&pool, slot)) {
		await_pops(slot);
		free_gone();
	} else {
		fail("a chunk is not gone, though all its jobs came back");
	}
	audit_quiet();
}

static void players_end(void)
{
	u32 slot = second_slot();

	audit_quiet();
	if (!broken && slot != NO_SLOT && pool.chunk[slot].going)
		finish_going(slot);
}

#endif /* SELFTESTS_HOST_PLAYERS_H */
