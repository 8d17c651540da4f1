/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard's pool and what it can be compared with, behind one interface. The
 * others are small versions of the kernel's, written with the same accesses.
 *
 * kernel_cpu is the CPU that calls.
 */
#ifndef SELFTESTS_HOST_BENCH_PEERS_H
#define SELFTESTS_HOST_BENCH_PEERS_H

#include <kernel.h>
#include <stdlib.h>
#include <string.h>

#ifdef COUNT_EXCHANGES
static unsigned long failed_exchanges;

static inline bool counted_try_cmpxchg(atomic64_t *v, s64 *old, s64 new)
{
	bool done = atomic64_try_cmpxchg(v, old, new);

	failed_exchanges += !done;
	return done;
}

#define atomic64_try_cmpxchg counted_try_cmpxchg
#endif

#ifndef raw_smp_processor_id
static __thread u32 kernel_cpu;
#define KNG_ONE_STACK
#endif

#include <kng_resize.h>

#define MAX_CPUS	256
/* Objects for each CPU: as many as are dealt together. With fewer, some CPUs have none. */
#define PER_CPU		KNG_DEAL_JOBS
#define MAX_OBJECTS	(MAX_CPUS * PER_CPU)

struct object {
	u32 next;		/* 0: none; else 1 + its index */
} __aligned(64);

static struct object objects[MAX_OBJECTS];
static u32 nr_cpus, nr_objects;

struct peer {
	const char *name;
	void (*init)(void);
	void *(*pop)(void);
	void (*push)(void *object);
	u32 most;		/* CPUs that can be simulated in reasonable time */
};

/* The guard's */
static struct kng_pool kng;
static struct kng_job jobs[MAX_OBJECTS];
#ifndef KNG_ONE_STACK
static struct kng_stack stacks[MAX_CPUS + 1];
static struct kng_chunk chunks[4];
#endif

static void guard_init(void)
{
	memset(jobs, 0, sizeof(jobs));
#ifdef KNG_ONE_STACK
	memset(&kng, 0, sizeof(kng));
	kng_pool_init(&kng);
#else
	memset(stacks, 0, sizeof(stacks));
	memset(chunks, 0, sizeof(chunks));
	memset(&kng, 0, sizeof(kng));
	kng_pool_init(&kng, stacks, nr_cpus, chunks, 4);
#endif
	kng_resize_add(&kng, jobs, nr_objects);
}

static void *guard_pop(void)
{
	return kng_pool_pop(&kng);
}

static void guard_push(void *object)
{
	kng_pool_push(&kng, object);
}

/* One stack with a tag, one word: what the guard had until version 0.1 */
static atomic64_t one_stack __aligned(64);

static void *stack_pop(atomic64_t *stack)
{
	s64 head = atomic64_read(stack), new;
	struct object *o;

	do {
		if (!(u32)head)
			return NULL;
		o = &objects[(u32)head - 1];
		new = ((head >> 32) + 1) << 32 | READ_ONCE(o->next);
	} while (!atomic64_try_cmpxchg(stack, &head, new));
	return o;
}

static void stack_push(atomic64_t *stack, void *object)
{
	struct object *o = object;
	s64 head = atomic64_read(stack), new;

	do {
		WRITE_ONCE(o->next, (u32)head);
		new = head >> 32 << 32 | (o - objects + 1);
	} while (!atomic64_try_cmpxchg(stack, &head, new));
}

static void one_stack_init(void)
{
	u32 i;

	atomic64_set(&one_stack, 0);
	for (i = 0; i < nr_objects; i++)
		stack_push(&one_stack, &objects[i]);
}

static void *one_stack_pop(void)
{
	return stack_pop(&one_stack);
}

static void one_stack_push(void *object)
{
	stack_push(&one_stack, object);
}

/* A lock around a list */
struct locked {
	atomic64_t lock;
	u32 first;
} __aligned(64);

static struct locked locked;

static bool trylock(struct locked *l)
{
	s64 free = 0;

	return atomic64_try_cmpxchg(&l->lock, &free, 1);
}

static void lock(struct locked *l)
{
	while (!trylock(l))
		while (atomic64_read(&l->lock))
			;
}

static void unlock(struct locked *l)
{
	kernel_access();
	__atomic_store_n(&l->lock.counter, 0, __ATOMIC_RELEASE);
}

static void *take_first(struct locked *l)
{
	u32 first = READ_ONCE(l->first);

	if (!first)
		return NULL;
	WRITE_ONCE(l->first, READ_ONCE(objects[first - 1].next));
	return &objects[first - 1];
}

static void put_first(struct locked *l, struct object *o)
{
	WRITE_ONCE(o->next, READ_ONCE(l->first));
	WRITE_ONCE(l->first, o - objects + 1);
}

static void locked_init(void)
{
	u32 i;

	memset(&locked, 0, sizeof(locked));
	for (i = 0; i < nr_objects; i++)
		put_first(&locked, &objects[i]);
}

static void *locked_pop(void)
{
	void *object;

	lock(&locked);
	object = take_first(&locked);
	unlock(&locked);
	return object;
}

static void locked_push(void *object)
{
	lock(&locked);
	put_first(&locked, object);
	unlock(&locked);
}

/*
 * Like pcpu_freelist (kernel/bpf/percpu_freelist.c, 6.12) in NMI: a locked list for
 * each CPU and one more, and who finds a lock taken goes on to the next.
 */
static struct locked lists[MAX_CPUS + 1];

static void freelist_init(void)
{
	u32 i;

	memset(lists, 0, sizeof(lists));
	for (i = 0; i < nr_objects; i++)
		put_first(&lists[i % nr_cpus], &objects[i]);
}

static void *try_first(struct locked *l)
{
	void *object;

	if (!READ_ONCE(l->first) || !trylock(l))
		return NULL;
	object = take_first(l);
	unlock(l);
	return object;
}

static void *freelist_pop(void)
{
	void *object = NULL;
	u32 i;

	for (i = 0; i < nr_cpus && !object; i++)
		object = try_first(&lists[(kernel_cpu + i) % nr_cpus]);
	return object ?: try_first(&lists[nr_cpus]);
}

static void freelist_push(void *object)
{
	u32 i = 0;

	for (;; i++) {
		struct locked *l = &lists[i == nr_cpus ? nr_cpus : (kernel_cpu + i) % nr_cpus];

		if (trylock(l)) {
			put_first(l, object);
			unlock(l);
			return;
		}
		if (i == nr_cpus)
			i = -1U;
	}
}

/* Like objpool (lib/objpool.c, 6.12): a ring for each CPU */
struct ring {
	atomic64_t head, tail;
	u64 last;
	u32 entry[MAX_OBJECTS];
} __aligned(64);

static struct ring rings[MAX_CPUS];

static void ring_push(struct ring *ring, struct object *o)
{
	s64 tail = atomic64_read(&ring->tail);

	while (!atomic64_try_cmpxchg(&ring->tail, &tail, tail + 1))
		;
	WRITE_ONCE(ring->entry[tail % MAX_OBJECTS], o - objects + 1);
	kernel_access();
	__atomic_store_n(&ring->last, tail + 1, __ATOMIC_RELEASE);
}

static void *ring_pop(struct ring *ring)
{
	s64 head = atomic64_read(&ring->head);

	while ((u64)head < READ_ONCE(ring->last)) {
		u32 entry = READ_ONCE(ring->entry[head % MAX_OBJECTS]);

		if (atomic64_try_cmpxchg(&ring->head, &head, head + 1))
			return &objects[entry - 1];
	}
	return NULL;
}

static void objpool_init(void)
{
	u32 i;

	memset(rings, 0, sizeof(rings));
	for (i = 0; i < nr_objects; i++)
		ring_push(&rings[i % nr_cpus], &objects[i]);
}

static void *objpool_pop(void)
{
	void *object = NULL;
	u32 i;

	for (i = 0; i < nr_cpus && !object; i++)
		object = ring_pop(&rings[(kernel_cpu + i) % nr_cpus]);
	return object;
}

static void objpool_push(void *object)
{
	ring_push(&rings[kernel_cpu], object);
}

static const struct peer peers[] = {
	{ "guard", guard_init, guard_pop, guard_push, MAX_CPUS },
	{ "one-stack", one_stack_init, one_stack_pop, one_stack_push, MAX_CPUS },
	{ "list+lock", locked_init, locked_pop, locked_push, 16 },
	{ "freelist", freelist_init, freelist_pop, freelist_push, MAX_CPUS },
	{ "objpool", objpool_init, objpool_pop, objpool_push, MAX_CPUS },
};

#define NR_PEERS (sizeof(peers) / sizeof(peers[0]))

static inline void peer_start(const struct peer *peer, u32 cpus, u32 nr)
{
	nr_cpus = cpus;
	nr_objects = nr;
	kernel_cpu = 0;
	peer->init();
}

#endif /* SELFTESTS_HOST_BENCH_PEERS_H */
