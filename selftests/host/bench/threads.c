// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that take an object and give it back: the time of each against one
 * thread alone. A thread has a CPU of its own as far as there are some; a round in
 * which one was kept from running is long, and the shortest of many counts.
 *
 * Prints "pool-threads-N-NAME RATIO" for each pool and number of threads; the same for
 * what reserve=exact adds to a pair of exchanges, as "exchange".
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "exchange.h"

#define ROUNDS	100
#define PAIRS	20000

struct thread {
	pthread_t thread;
	const struct peer *peer;
	u32 cpu;
	double start, end;
};

static int waiting, threads;

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static void *play(void *arg)
{
	struct thread *t = arg;
	cpu_set_t set;
	int i;

	CPU_ZERO(&set);
	CPU_SET(t->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	kernel_cpu = t->cpu;
	__atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) < threads)
		;
	t->start = now_ns();
	for (i = 0; i < PAIRS; i++) {
		void *object = t->peer->pop();

		if (object)
			t->peer->push(object);
	}
	t->end = now_ns();
	return NULL;
}

/* The fastest round, from the first start to the last end: all run at once in that. */
static double measure(const struct peer *peer, int nr)
{
	struct thread thread[MAX_CPUS];
	double least = 1e18;
	int i, round;

	for (round = 0; round < ROUNDS; round++) {
		double start = 1e18, end = 0;

		peer_start(peer, nr, nr * PER_CPU);
		waiting = 0;
		threads = nr;
		for (i = 0; i < nr; i++) {
			thread[i] = (struct thread){ .peer = peer, .cpu = i };
			pthread_create(&thread[i].thread, NULL, play, &thread[i]);
		}
		for (i = 0; i < nr; i++) {
			pthread_join(thread[i].thread, NULL);
			start = thread[i].start < start ? thread[i].start : start;
			end = thread[i].end > end ? thread[i].end : end;
		}
		if (end - start < least)
			least = end - start;
	}
	return least / PAIRS;
}

static void compare(const struct peer *peer)
{
	int most = sysconf(_SC_NPROCESSORS_ONLN), nr;
	double alone = measure(peer, 1);

	for (nr = 2; nr <= most && nr <= 16; nr *= 2)
		printf("pool-threads-%d-%s %.2f\n", nr, peer->name,
		       measure(peer, nr) / alone);
	fflush(stdout);
}

int main(void)
{
	size_t i;

	for (i = 0; i < NR_PEERS; i++)
		compare(&peers[i]);
	compare(&exchange);
	return 0;
}
