// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many simulated CPUs that take an object and give it back. Before each access to
 * shared memory any of them may go on, all alike likely. There are always objects
 * left: whoever finds none was told so by mistake.
 *
 * Prints, for each pool and number of CPUs,
 *
 *   failed-N-NAME   exchanges that failed, for a pair of calls
 *   access-N-NAME   accesses to shared memory, for a pair
 *   empty-N-NAME    pops that found nothing, in percent, with one object more than
 *                   there are CPUs, each given back on any of them
 *   storm-N-NAME    accesses for a pair, where each CPU takes all its share at once, as
 *                   in an NMI, and gives it back on any of them
 *
 * and for the guard's pool what a pop costs that finds nothing, or one object on the
 * other end.
 */
#include <stdio.h>
#include <ucontext.h>

static void access_point(void);
#define kernel_access() access_point()
#define COUNT_EXCHANGES
#include "peers.h"

#define STACK_SIZE	(32 * 1024)
#define PAIRS		25
#define BURSTS		4

struct fiber {
	ucontext_t context;
	u32 cpu;		/* that it is on while it does not run */
	char stack[STACK_SIZE];
};

static struct fiber fibers[MAX_CPUS];
static ucontext_t scheduler;
static u32 alive[MAX_CPUS], nr_alive, running;
static const struct peer *peer;
static unsigned long accesses, empty;
static bool simulated, scarce, storm;
static u64 seed;

static u32 random_below(u32 n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % n;
}

static void go_on(u32 to)
{
	u32 from = running;

	if (from == to)
		return;
	fibers[from].cpu = kernel_cpu;
	kernel_cpu = fibers[to].cpu;
	running = to;
	swapcontext(&fibers[from].context, &fibers[to].context);
}

static void access_point(void)
{
	accesses++;
	if (simulated)
		go_on(alive[random_below(nr_alive)]);
}

static void burst(int cpu)
{
	void *objects[PER_CPU];
	u32 i, nr = 0;

	for (i = 0; i < PER_CPU; i++) {
		objects[nr] = peer->pop();
		if (objects[nr])
			nr++;
	}
	while (nr) {
		kernel_cpu = random_below(nr_cpus);
		peer->push(objects[--nr]);
		kernel_cpu = cpu;
	}
}

static void play(int cpu)
{
	u32 i;

	for (i = 0; storm && i < BURSTS; i++)
		burst(cpu);
	for (i = 0; !storm && i < PAIRS; i++) {
		void *object = peer->pop();

		if (!object) {
			empty++;
			continue;
		}
		if (scarce)
			kernel_cpu = random_below(nr_cpus);
		peer->push(object);
		kernel_cpu = cpu;
	}
	for (i = 0; alive[i] != (u32)cpu; i++)
		;
	alive[i] = alive[--nr_alive];
	if (!nr_alive)
		setcontext(&scheduler);
	running = alive[random_below(nr_alive)];
	kernel_cpu = fibers[running].cpu;
	setcontext(&fibers[running].context);
}

static void simulate(u32 cpus, u32 nr)
{
	u32 i;

	simulated = false;
	peer_start(peer, cpus, nr);
	seed = 1;
	failed_exchanges = 0;
	empty = 0;
	accesses = 0;
	for (i = 0; i < cpus; i++) {
		getcontext(&fibers[i].context);
		fibers[i].context.uc_stack.ss_sp = fibers[i].stack;
		fibers[i].context.uc_stack.ss_size = STACK_SIZE;
		makecontext(&fibers[i].context, (void (*)(void))play, 1, i);
		alive[i] = i;
		fibers[i].cpu = i;
	}
	nr_alive = cpus;
	kernel_cpu = 0;
	running = 0;
	simulated = true;
	swapcontext(&scheduler, &fibers[0].context);
	simulated = false;
}

static void measure(u32 cpus)
{
	double pairs = (double)cpus * PAIRS;

	simulate(cpus, cpus * PER_CPU);
	printf("failed-%u-%s %.3f\n", cpus, peer->name, failed_exchanges / pairs);
	printf("access-%u-%s %.1f\n", cpus, peer->name, accesses / pairs);
	scarce = true;
	simulate(cpus, cpus + 1);
	scarce = false;
	printf("empty-%u-%s %.2f\n", cpus, peer->name, 100 * empty / pairs);
	storm = true;
	simulate(cpus, cpus * PER_CPU);
	storm = false;
	printf("storm-%u-%s %.1f\n", cpus, peer->name,
	       (double)accesses / cpus / PER_CPU / BURSTS);
}

/* Nobody else runs: what looking for a job costs where there are few. */
static void scan(u32 cpus)
{
	struct kng_job *all[MAX_OBJECTS], *job;
	u32 n = 0;

	peer_start(&peers[0], cpus, cpus);
	while ((job = kng_pool_pop(&kng)))
		all[n++] = job;
	accesses = 0;
	kng_pool_pop(&kng);
	printf("pop-empty-%u-guard %lu\n", cpus, accesses);
	kernel_cpu = cpus - 1;
	kng_pool_push(&kng, all[0]);
	kernel_cpu = 0;
	accesses = 0;
	kng_pool_pop(&kng);
	printf("pop-far-%u-guard %lu\n", cpus, accesses);
}

int main(void)
{
	size_t i;
	u32 cpus;

	for (i = 0; i < NR_PEERS; i++) {
		peer = &peers[i];
		for (cpus = 1; cpus <= peer->most; cpus *= 4)
			measure(cpus);
		fflush(stdout);
	}
	for (cpus = 1; cpus <= MAX_CPUS; cpus *= 4)
		scan(cpus);
	return 0;
}
