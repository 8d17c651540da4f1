// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exact reserve: module/exact.c itself with the promises and the pool of include/, one
 * thread, and maps that have as much room as a test says. (All orders of its steps are
 * promise.t's.)
 */
#include "linux.h"

#define SETUP_CPUS	2
#define BITS_PER_LONG	64

static inline s64 atomic64_add_return(s64 i, atomic64_t *v)
{
	return v->counter += i;
}

static inline s64 atomic64_sub_return(s64 i, atomic64_t *v)
{
	return v->counter -= i;
}

static inline int atomic_dec_return(atomic_t *v)
{
	return --v->counter;
}

static inline int atomic_inc_return(atomic_t *v)
{
	return ++v->counter;
}

static inline int atomic_sub_return(int i, atomic_t *v)
{
	return v->counter -= i;
}

static inline int atomic_cmpxchg(atomic_t *v, int was, int is)
{
	int old = v->counter;

	v->counter = old == was ? is : old;
	return old;
}

#define atomic64_sub(i, v)	atomic64_add(-(s64)(i), v)
#define atomic64_inc(v)		atomic64_add(1, v)
#define atomic64_dec(v)		atomic64_add(-1, v)
#define atomic64_inc_return(v)	atomic64_add_return(1, v)
#define smp_mb()		((void)0)

#include "setup.h"
#include "kng_promise.h"

#define KNG_COMPAT_H
#define KNG_DIRECT_H
#define KNG_FIRE_H
#define KNG_HOOK_H
#define KNG_MAPS_H
#define KNG_OFFLOAD_H
#define KNG_XCHG_IS_INLINED	true
#define KNG_DIRECT_STUB(...)	""
#define KNG_DIRECT(...)		0
#define DEFINE_STATIC_KEY_TRUE(name)	bool name = true
#define static_branch_unlikely(key)	(*(key))
#define static_branch_disable(key)	(*(key) = false)

#include "../../module/params.h"
struct kng_params kng_params;

#include "../../module/count.h"
struct kng_counts kng_counts;
union kng_depth kng_entry_depth;

#include "../../module/pool.h"
struct kng_pool kng_pool;

enum { KNG_SLOTS_UNKNOWN, KNG_SLOTS_GO };

struct kng_hook {
	const char *function[2];
	unsigned long replacement, direct;
	bool can_skip, there;
};

static u64 room_of_maps;	/* of all maps */
static bool bounded = true, watched = true;
static unsigned int scheduled;
static const char *held;

#define kng_maps_charged()		room_of_maps
#define kng_maps_bounded()		bounded
#define kng_maps_slots(rec)		((void)(rec), watched ? KNG_SLOTS_GO : KNG_SLOTS_UNKNOWN)
#define kng_offload_schedule()		(scheduled++)

static int kng_hook_install(struct kng_hook *hook)
{
	if (held && !strcmp(held, hook->function[0]))
		return -EBUSY;
	hook->there = hook->can_skip && hook->replacement;
	return hook->there ? 0 : -EINVAL;
}

static void kng_hook_remove_for_good(struct kng_hook *hook)
{
	hook->there = false;
}

static int kng_fire_exchange(void);

#include "../../module/exact.c"

static int fire_error;
static bool nobody_asks, nobody_exchanges;

/* A program is loaded, and run. */
static int kng_fire_exchange(void)
{
	u64 slot = 0;

	if (fire_error)
		return fire_error;
	if (!nobody_asks)
		((bool (*)(void))inline_hook.replacement)();
	if (!nobody_exchanges)
		((u64(*)(u64, u64, u64, u64, u64))xchg_hook.replacement)((unsigned long)&slot, 0, 0,
									 0, 0);
	return 0;
}

#define JOBS	400
static struct kng_job jobs[JOBS];
static u64 slots[JOBS], objects[2];
static const u64 object = (unsigned long)&objects[0], other = (unsigned long)&objects[1];

static void begin(unsigned int nr)
{
	memset(&promise, 0, sizeof(promise));
	promise.pool = &kng_pool;
	promise.by_bounds = true;
	older_maps = true;
	count_failed = on = asked = exchanged = false;
	unproven = true;
	memset(slots, 0, sizeof(slots));
	memset(&kng_counts, 0, sizeof(kng_counts));
	memset(jobs, 0, sizeof(jobs));
	setup_pool(&kng_pool, SETUP_CPUS);
	kng_resize_add(&kng_pool, jobs, nr);
	kng_exact_raise(nr);
	kng_params = (struct kng_params) { .exact = true, .max_jobs = nr };
	room_of_maps = JOBS;
	bounded = watched = true;
	scheduled = nr_said = 0;
}

/* The helper, as a program calls it */
static u64 call(unsigned int slot, u64 new)
{
	u64 (*helper)(u64 slot, u64 ptr, u64 r3, u64 r4, u64 r5) = (void *)xchg_hook.replacement;

	return helper((unsigned long)&slots[slot], new, 0, 0, 0);
}

static unsigned int full(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < JOBS; i++)
		nr += !!slots[i];
	return nr;
}

static u64 refused(void)
{
	return kng_counts.nr[KNG_REFUSED];
}

static void test_refusal(void)
{
	unsigned int i, nr = 0, back = 0, fits;
	bool (*supports)(void) = (void *)inline_hook.replacement;

	begin(200);
	tap_ok(!kng_exact_init() && xchg_hook.there && inline_hook.there && !supports(),
	       "the exchange is replaced, and is inline no more");
	kng_exact_trust_count();
	fits = 200 - promise.slack;
	exchanged = false;
	call(0, 0);
	tap_ok(!exchanged, "once that is proven no call is noted");
	tap_ok(promise.slack == (3 + 2) * 4 + 1,
	       "jobs for all contexts of all possible CPUs are kept (%lld)",
	       (long long)promise.slack);
	for (i = 0; i < JOBS; i++) {
		u64 ret = call(i, object);

		nr += !ret;
		back += ret == object;
	}
	tap_ok(nr == fits && back == JOBS - fits && full() == fits && refused() == back,
	       "%u are let in, %u are refused and come back", nr, back);
	tap_ok(kng_exact_references() == fits, "so many are counted (%lld)",
	       (long long)kng_exact_references());
	tap_ok(call(0, other) == other && slots[0] == object, "nor is one exchanged for another");
	tap_ok(call(0, 0) == object && !slots[0] && kng_exact_references() == fits - 1,
	       "one is taken out: it is not counted any more");
	tap_ok(!call(1 + fits, other) && kng_exact_references() == fits,
	       "there is room for another");
	tap_ok(!call(0, 0) && kng_exact_references() == fits,
	       "taking from an empty slot changes nothing");
	for (i = 0; i < JOBS; i++)
		call(i, 0);
	tap_ok(!kng_exact_references() && !full(), "all out: none is counted");
	for (nr = i = 0; i < JOBS; i++)
		nr += !call(i, object);
	tap_ok(nr == fits, "so many again (%u)", nr);
	kng_exact_note_removed(NULL, 10);
	tap_ok(kng_exact_references() == fits - 10,
	       "what leaves watched maps is not counted any more");
	watched = false;
	kng_exact_note_removed(NULL, 10);
	tap_ok(kng_exact_references() == fits - 10, "what leaves others never was");
	kng_exact_exit();
	tap_ok(!xchg_hook.there && !inline_hook.there, "at unload both are the kernel's again");
	watched = true;
	kng_exact_note_removed(NULL, 10);
	tap_ok(kng_exact_references() == fits - 10, "then nothing is counted");
}

static void test_in_use(void)
{
	struct kng_job *taken[50];
	unsigned int i, nr = 0, fits;

	begin(200);
	kng_exact_init();
	kng_exact_trust_count();
	fits = 200 - promise.slack;
	for (i = 0; i < 50; i++)
		taken[i] = kng_pool_pop(&kng_pool);
	for (i = 0; i < JOBS; i++)
		nr += !call(i, object);
	tap_ok(nr == fits - 50, "jobs in use are promised to nobody (%u)", nr);
	for (i = 0; i < 50; i++)
		kng_pool_push(&kng_pool, taken[i]);
	for (i = 0; i < JOBS; i++)
		nr += !slots[i] && !call(i, object);
	tap_ok(nr == fits, "when they are back they are (%u)", nr);
	tap_ok(!kng_exact_lower(1), "none of them can go");
	for (i = 0; i < 40; i++)
		call(i, 0);
	tap_ok(!kng_exact_lower(41) && kng_exact_lower(8), "but some, when references go");
	tap_ok(atomic64_read(&promise.limit) == 200 - 8, "then fewer are promised");
	kng_exact_raise(8);
	tap_ok(atomic64_read(&promise.limit) == 200, "and more again");
	kng_exact_exit();
}

static void shows(const char *what)
{
	nr_shown = shown[0] = 0;
	kng_exact_show(NULL);
	tap_ok(!strncmp(shown, what, strlen(what)), "%.*s", (int)strcspn(shown, "\n"), shown);
}

static void test_bounds(void)
{
	unsigned int i, nr = 0;

	begin(200);
	tap_ok(kng_exact_covered() == JOBS && !kng_exact_short(),
	       "reserve=capacity: all that maps have room for");
	shows("reserve: capacity\nreferences: 0\n");
	kng_exact_init();
	shows("reserve: exact, but by capacity, since maps are older\n");
	tap_ok(kng_exact_covered() == JOBS + promise.slack, "with slack, if it counts");
	kng_params.shrink = true;
	tap_ok(kng_exact_covered() == JOBS + 1 + promise.slack,
	       "shrink=Y does nothing where maps are older");
	kng_exact_trust_count();
	shows("reserve: exact, shrinks to the count\n");
	tap_ok(kng_exact_covered() == 1 + promise.slack,
	       "with none that are, it goes by the count");
	for (i = 0; i < 100; i++)
		call(i, object);
	tap_ok(kng_exact_covered() >= 101 + promise.slack &&
	       kng_exact_covered() <= 101 + promise.slack + KNG_PROMISE_BATCH,
	       "which is not lower");
	room_of_maps = 60;
	tap_ok(kng_exact_covered() == 61 + promise.slack, "but not more than there is room for");
	room_of_maps = JOBS;
	kng_params.max_jobs = 1 << 20;
	tap_ok(!kng_exact_short() && !scheduled, "it is not short yet, and nobody was woken");
	for (i = 100; i < 150; i++)
		call(i, object);
	kng_params.headroom = 20;
	tap_ok(promise.refs.counter == 160 && !kng_exact_short(), "it keeps half of the headroom");
	kng_params.headroom = 40;
	tap_ok(kng_exact_short(), "and no less");
	kng_params.headroom = 0;
	for (i = 150; i < 179; i++)
		call(i, object);
	tap_ok(kng_exact_short(), "but before all are promised");
	call(179, object);
	tap_ok(scheduled == 1, "then the reserve is told (%u)", scheduled);
	kng_params.headroom = 1000;
	for (i = 10; i < 179; i++)
		call(i, 0);
	tap_ok(kng_exact_short(), "half of the headroom is kept");
	kng_params.max_jobs = 200;
	tap_ok(!kng_exact_short(), "where there may be no more jobs nothing is short");
	bounded = false;
	shows("reserve: exact, shrinks to the count; storage and objects by floor\n");
	kng_params.shrink = false;
	bounded = true;
	shows("reserve: exact\n");
	kng_exact_exit();

	/* The count is too high: what it can be at most decides. */
	begin(200);
	kng_exact_init();
	kng_exact_trust_count();
	atomic64_add(1000, &promise.refs);
	room_of_maps = 100;
	for (i = 0; i < 100; i++)
		nr += !call(i, object);
	tap_ok(nr == 100 && !refused(),
	       "a count that is too high refuses nothing that there is room for");
	kng_exact_exit();
}

static void test_uncounted(void)
{
	begin(200);
	kng_exact_init();
	kng_exact_note_removed(NULL, 5);
	tap_ok(kng_exact_covered() == JOBS + promise.slack && !nr_said && !scheduled,
	       "with older maps a count below zero is to be expected");
	begin(200);
	kng_exact_init();
	kng_exact_trust_count();
	kng_exact_note_removed(NULL, 5);
	tap_ok(scheduled == 1 && kng_exact_short(), "else it is noticed");
	kng_exact_covered();
	tap_ok(promise.by_bounds, "from then on the room decides");
	tap_ok(nr_said == 1 && strstr(said, "without being counted (references: -5)"),
	       "and said: %s", said);
	kng_exact_covered();
	kng_exact_note_removed(NULL, 5);
	tap_ok(nr_said == 1 && scheduled == 1, "once");
	shows("reserve: exact, but by capacity, since programs are not counted\nreferences: -10\n");
	kng_params.shrink = true;
	tap_ok(kng_exact_covered() == JOBS + 1 + promise.slack,
	       "then it goes by what there is room for");
	kng_exact_exit();
}

static void test_held(void)
{
	static const char * const functions[] = { "bpf_kptr_xchg", "bpf_jit_supports_ptr_xchg" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		begin(200);
		held = functions[i];
		tap_ok(kng_exact_init() == -EBUSY && !xchg_hook.there && !inline_hook.there &&
		       nr_said == 1 && strstr(said, held) &&
			       strstr(said, "can't be replaced (-16)"),
		       "%s", said);
		tap_ok(!on && kng_exact_covered() == JOBS, "it is as if nobody had asked");
	}
	held = NULL;

	/* They are there, but nobody calls them. */
	begin(200);
	nobody_asks = true;
	tap_ok(kng_exact_init() == -EOPNOTSUPP && !xchg_hook.there && !inline_hook.there &&
	       strstr(said, "bpf_jit_supports_ptr_xchg is replaced, but"), "%s", said);
	nobody_asks = false;
	begin(200);
	nobody_exchanges = true;
	tap_ok(kng_exact_init() == -EOPNOTSUPP && !xchg_hook.there && !inline_hook.there &&
	       strstr(said, "bpf_kptr_xchg is replaced, but"), "%s", said);
	nobody_exchanges = false;
	begin(200);
	fire_error = -EPERM;
	tap_ok(kng_exact_init() == -EPERM && !xchg_hook.there &&
	       strstr(said, "no exchange can be tried (-1)"), "%s", said);
	fire_error = 0;
}

int main(int argc, char **argv)
{
	tap_start(argc, argv);
	test_refusal();
	test_in_use();
	test_bounds();
	test_uncounted();
	test_held();
	return tap_done();
}
