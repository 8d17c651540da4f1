// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory behind the pool: module/pool.c itself, with allocators and RCU played
 * here. A grace period ends when all readers have ended that were there when it began; a
 * reader is a pop that stalls. What is checked: memory of jobs is freed only when no pop
 * can read it any more, and all of it is freed in the end, once; what
 * kng_pool_alloc() has taken stays; failing allocations.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

static void race_point(void);
#define kng_pool_race_point() race_point()
#include "kernel.h"
#include "tap.h"

/* What pool.c takes from the kernel. Its headers are empty files here. */
#define GFP_KERNEL		1
#define __GFP_ZERO		2
#define __GFP_NORETRY		4
#define __GFP_NOWARN		8
#define min(a, b) ({				\
	__typeof__(a) a_ = (a);			\
	__typeof__(b) b_ = (b);			\
	a_ < b_ ? a_ : b_;			\
})
#define max(a, b) ({				\
	__typeof__(a) a_ = (a);			\
	__typeof__(b) b_ = (b);			\
	a_ > b_ ? a_ : b_;			\
})
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define clamp(a, low, high)	min(max(a, low), high)
#define array_size(n, size)	((size_t)(n) * (size))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define BITMAP_LONGS(nr)	DIV_ROUND_UP(nr, 64)
#define DECLARE_BITMAP(name, nr) unsigned long name[BITMAP_LONGS(nr)]
#define cond_resched()		((void)0)

static inline void __set_bit(u32 bit, unsigned long *map)
{
	map[bit / 64] |= 1UL << bit % 64;
}

static inline bool has_bit(const unsigned long *map, u32 bit)
{
	return map[bit / 64] >> bit % 64 & 1;
}

static inline bool bitmap_empty(const unsigned long *map, u32 nr)
{
	u32 i;

	for (i = 0; i < BITMAP_LONGS(nr); i++)
		if (map[i])
			return false;
	return true;
}

#define bitmap_zero(map, nr)	memset(map, 0, BITMAP_LONGS(nr) * sizeof(long))
#define for_each_set_bit(bit, map, nr)			\
	for ((bit) = 0; (bit) < (nr); (bit)++)		\
		if (has_bit(map, bit))

static u32 nr_cpu_ids = 2;
static int not_preemptible;

static inline void preempt_disable(void)
{
	not_preemptible++;
}

static inline void preempt_enable(void)
{
	not_preemptible--;
}

/* RCU: time goes by grace period asked for and reader begun. */
static unsigned long now = 1, reader_since;	/* 0: there is none */
static unsigned long periods;

static unsigned long start_poll_synchronize_rcu(void)
{
	periods++;
	return now++;
}

static bool poll_state_synchronize_rcu(unsigned long asked)
{
	return !reader_since || reader_since > asked;
}

/* Memory. */

static const char *broken;
static int live, fail_after = -1;	/* so many allocations succeed */
static const void *read_now;		/* by the reader */
static unsigned long vfreed;

static void *get(size_t size)
{
	if (!fail_after)
		return NULL;
	fail_after -= fail_after > 0;
	live++;
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static inline void *kvcalloc(size_t n, size_t size, int flags)
{
	(void)flags;
	return get(n * size);
}

static inline void *__vmalloc(size_t size, int flags)
{
	if (!(flags & __GFP_ZERO))
		broken = "jobs are not zeroed";
	return get(size);
}

static inline void kvfree(const void *memory)
{
	live -= !!memory;
}

/* Not unmapped: a look at it is no crash, but a failure with a name. */
static void vfree(const void *memory)
{
	if (!memory)
		return;
	live--;
	vfreed++;
	if (memory == read_now)
		broken = "memory is freed that a pop may read";
}

#include "../../module/pool.c"

/* Readers. */

static void (*in_the_stall)(void);

static void race_point(void)
{
	void (*what)(void) = in_the_stall;

	in_the_stall = NULL;
	if (what)
		what();
}

/* A pop that stalls with @what going on meanwhile. */
static struct kng_job *stalled_pop(void (*what)(void))
{
	struct kng_job *job;
	u32 index = kng_pool.stack[kernel_cpu].head.counter & KNG_INDEX_MASK;

	read_now = kng_pool.chunk[index >> KNG_CHUNK_SHIFT].jobs;
	reader_since = now++;
	in_the_stall = what;
	job = kng_pool_pop(&kng_pool);
	reader_since = 0;
	read_now = NULL;
	return job;
}

#define BASE	16
#define MAX	(BASE + 3 * KNG_CHUNK_JOBS)

static u32 freed_meanwhile, marked;
static struct kng_job *in_use;

static void mark_and_collect(void)
{
	int i;

	marked = kng_pool_mark(KNG_CHUNK_JOBS);
	for (i = 0; i < 4; i++)
		freed_meanwhile += kng_pool_collect();
}

/* The chunk is gone only now: the grace period begins now, too. */
static void push_and_collect(void)
{
	int i;

	kng_pool_push(&kng_pool, in_use);
	for (i = 0; i < 4; i++)
		freed_meanwhile += kng_pool_collect();
}

static u32 collect_all(void)
{
	u32 nr = 0, i;

	for (i = 0; i < 6; i++)
		nr += kng_pool_collect();
	return nr;
}

static void begin(void)
{
	broken = NULL;
	freed_meanwhile = 0;
	vfreed = 0;
	kernel_cpu = 0;
	memset(&kng_pool, 0, sizeof(kng_pool));
}

/* Take jobs until one of the last chunk comes, whose place is @slot. */
static struct kng_job *job_of(u32 slot)
{
	struct kng_job *job = kng_pool_pop(&kng_pool);

	if ((u32)job->index >> KNG_CHUNK_SHIFT != slot)
		broken = "the last chunk is not on top";
	return job;
}

static void test_grace(void)
{
	struct kng_job *job;
	u32 after;
	bool ok;

	begin();
	ok = !kng_pool_alloc(BASE, MAX) && kng_pool_grow(2 * KNG_CHUNK_JOBS) == 2 * KNG_CHUNK_JOBS;
	tap_ok(ok && kng_pool_total() == BASE + 2 * KNG_CHUNK_JOBS && !kng_pool_in_use(),
	       "%d jobs, and two chunks more", BASE);

	/* The pop that stalls gets another job when it goes on: its own is retired. */
	job = stalled_pop(mark_and_collect);
	tap_ok(marked == KNG_CHUNK_JOBS && !freed_meanwhile && !vfreed && kng_pool_shrinks(),
	       "nothing is freed while a pop may read it");
	kng_pool_push(&kng_pool, job);
	after = collect_all();
	tap_ok(kng_pool.low == 512, "of many jobs 512 are few (%u)", kng_pool.low);
	tap_ok(after == marked && vfreed == 1 && !kng_pool_shrinks() && !broken && periods,
	       "it is when that has ended (%u jobs%s%s)", after, broken ? "; " : "",
	       broken ? broken : "");

	/* Marked, and asked for more than once, before the pop begins. */
	in_use = job_of(1);
	marked = kng_pool_mark(KNG_CHUNK_JOBS);
	collect_all();
	tap_ok(marked == KNG_CHUNK_JOBS && kng_pool_shrinks() && vfreed == 1,
	       "a chunk with a job in use stays");
	kng_pool_grow(KNG_CHUNK_JOBS);
	freed_meanwhile = 0;
	read_now = NULL;
	job = stalled_pop(push_and_collect);
	read_now = NULL;
	kng_pool_push(&kng_pool, job);
	after = freed_meanwhile + collect_all();
	tap_ok(after == marked && vfreed == 2 && !broken, "it goes with that job (%u jobs)", after);
	tap_ok(!freed_meanwhile, "a grace period that began before the last job retired is worth nothing");

	marked = kng_pool_mark(MAX);
	tap_ok(marked == KNG_CHUNK_JOBS && collect_all() == marked && kng_pool_total() == BASE &&
	       kng_pool_idle(&kng_pool) == BASE && kng_pool.low == BASE / 8,
	       "what was there first stays");
	kng_pool_free();
	tap_ok(!live && !broken, "all memory is back (%d left)", live);
	tap_ok(!not_preemptible, "preemption is on again");
}

static void test_no_memory(void)
{
	int i, wrong = 0, ret;

	for (i = 0; i < 4; i++) {
		begin();
		fail_after = i;
		ret = kng_pool_alloc(BASE + KNG_CHUNK_JOBS, MAX);
		wrong += ret != -ENOMEM || live;
	}
	fail_after = -1;
	tap_ok(!wrong, "any allocation of the first ones fails: -ENOMEM, and nothing is left");

	begin();
	ret = kng_pool_alloc(BASE, MAX);
	tap_ok(kng_pool.low == BASE / 8, "of few jobs an eighth (%u)", kng_pool.low);
	fail_after = 1;
	tap_ok(!ret && kng_pool_grow(3 * KNG_CHUNK_JOBS) == KNG_CHUNK_JOBS &&
	       kng_pool_total() == BASE + KNG_CHUNK_JOBS, "memory for one chunk only: one more");
	fail_after = -1;
	kng_pool_free();
	tap_ok(!live, "all memory is back");
}

/* Room for all of max_jobs while as many are on their way out. */
static void test_table(void)
{
	struct kng_job *job;
	u32 added;

	begin();
	kng_pool_alloc(BASE, MAX);
	added = kng_pool_grow(3 * KNG_CHUNK_JOBS);
	job = job_of(3);
	marked = kng_pool_mark(MAX);
	kng_pool_collect();
	tap_ok(added == 3 * KNG_CHUNK_JOBS && marked == added &&
	       kng_pool_grow(3 * KNG_CHUNK_JOBS) == 3 * KNG_CHUNK_JOBS,
	       "the table has room for new chunks before the old ones are gone");
	kng_pool_push(&kng_pool, job);
	collect_all();
	kng_pool_free();
	tap_ok(!live && !broken, "all memory is back");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv);
	test_grace();
	test_no_memory();
	test_table();
	return tap_done();
}
