// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load and unload: module/main.c itself, with all that it calls played. What was begun is
 * ended, once, in an order in which nothing is used after its end, wherever loading
 * fails.
 */
#include "linux.h"

#define KNG_COMPAT_H
#define KNG_DTOR_H
#define KNG_HOOK_H
#define KNG_MODULE_POOL_H
#define KNG_VERSION		"0"
#define KBUILD_MODNAME		"kptr_nmi_guard"
#define __exit			__maybe_unused
#define module_init(fn)		/* the test calls it */
#define module_exit(fn)
#define MODULE_DESCRIPTION(x)	extern int no_description
#define MODULE_AUTHOR(x)	extern int no_author
#define MODULE_VERSION(x)	extern int no_version
#define MODULE_LICENSE(x)	extern int no_licence
#define KNG_IMPORT_NS_BPF_INTERNAL	extern int no_namespace
#define pr_info(...)		say(__VA_ARGS__)

/* From the bottom: each uses only what comes before it. */
enum step {
	PARAMS, HOOK, POOL, DTOR, MAPS, RESERVE, DRAIN, LEARN, RELEASE, WATCH, DOOR, STORAGE, EXACT,
	SETTLED, STATS, HEALTH, NR_STEPS
};

static const char *const step_names[] = {
	"params",  "hook",  "pool", "dtor",    "maps",	"reserve", "drain", "learn",
	"release", "watch", "door", "storage", "exact", "settled", "stats", "health",
};

static int errors[NR_STEPS];		/* what a step says */
static int guarded = 4;			/* types that the release door has */
static bool is_up[NR_STEPS], lookups, cancels, complete, older, trusted, ftrace;
static const char *wrong;
static unsigned int promised, teardown_mode;

static void is_wrong(const char *why)
{
	if (!wrong)
		wrong = why;
}

static int begins(enum step step)
{
	if (is_up[step])
		is_wrong("what is there begins again");
	if (errors[step])
		return errors[step];
	is_up[step] = true;
	return 0;
}

/* What may still run when @step ends? Nothing that uses it. */
static void ends(enum step step)
{
	static const enum step users[][4] = {
		[POOL] = { DRAIN, RELEASE, WATCH, EXACT },
		[DTOR] = { DRAIN, RELEASE, WATCH, LEARN },
		[MAPS] = { WATCH, RELEASE, RESERVE, DRAIN },
		[RESERVE] = { WATCH, DRAIN, RELEASE, EXACT },
		[DRAIN] = { RELEASE, WATCH, STORAGE, EXACT },
		[LEARN] = { WATCH, RELEASE, STATS, HEALTH },
		[RELEASE] = { WATCH, STATS, HEALTH, EXACT },
		[WATCH] = { STATS, HEALTH, EXACT, EXACT },
		[STORAGE] = { STATS, HEALTH, HEALTH, HEALTH },
		[EXACT] = { STATS, HEALTH, HEALTH, HEALTH },
	};
	unsigned int i;

	for (i = 0; step < ARRAY_SIZE(users) && i < 4; i++)
		if (users[step][i] && is_up[users[step][i]])
			is_wrong(step_names[step]);
	is_up[step] = false;
}

#include "../../module/params.h"
struct kng_params kng_params;

#define kng_params_parse()		begins(PARAMS)
#define kng_hook_init()			begins(HOOK)
#define kng_hook_uses_ftrace()		ftrace
#define kng_hook_error_hint(e)		"what to do"
static int kng_pool_alloc(u32 jobs, u32 most)
{
	return jobs <= most ? begins(POOL) : -EINVAL;
}

#define kng_pool_free()			ends(POOL)
#define kng_pool_total()		4096
#define kng_dtor_init()			begins(DTOR)
#define kng_dtor_exit()			ends(DTOR)

#include "../../module/drain.h"
#include "../../module/exact.h"
#include "../../module/health.h"
#include "../../module/learn.h"
#include "../../module/lookup.h"
#include "../../module/maps.h"
#include "../../module/release.h"
#include "../../module/reserve.h"
#include "../../module/stats.h"
#include "../../module/storage.h"
#include "../../module/watch.h"

void kng_lookup_init_done(void)
{
	lookups = false;
}

static void (*on_shortage)(void), (*on_run)(void);

int kng_reserve_init(void (*shortage)(void))
{
	on_shortage = shortage;
	is_up[MAPS] = !errors[RESERVE];
	return begins(RESERVE);
}

void kng_reserve_note_usage(void)
{
}

void kng_watch_note_shortage(void)
{
}

void kng_reserve_settle(void)
{
	if (!(is_up[DOOR] || is_up[RELEASE]) || !is_up[RESERVE])
		is_wrong("settles without doors");
	is_up[SETTLED] = true;
}

int kng_drain_init(void (*run)(void))
{
	on_run = run;
	return begins(DRAIN);
}

int kng_learn_init(void)
{
	return begins(LEARN);
}

int kng_watch_init(void)
{
	/* Hooks that were not there may have been asked for all the same. */
	return begins(WATCH);
}

void kng_storage_join(struct kng_group *group)
{
	begins(STORAGE);
}

/* If it fails, what has joined may be there all the same. */
int kng_release_init(void (*join)(struct kng_group *group))
{
	int ret = begins(RELEASE);

	join(NULL);
	if (!ret && !guarded)
		is_up[RELEASE] = false;
	return ret ?: guarded;
}

int kng_watch_start(enum kng_teardown_mode mode)
{
	teardown_mode = mode;
	if (!is_up[DRAIN] || !is_up[RESERVE] || !is_up[LEARN])
		is_wrong("maps come before all is there");
	return begins(DOOR);
}

void kng_storage_report(void)
{
	if (!is_up[STORAGE])
		is_wrong("deletes are reported before they are hooked");
}

int kng_exact_init(void)
{
	return begins(EXACT);
}

void kng_exact_trust_count(void)
{
	trusted = true;
}

void kng_exact_raise(u32 jobs)
{
	promised += jobs;
}

void kng_stats_init(void)
{
	if (!is_up[SETTLED])
		is_wrong("stats before the reserve is there");
	begins(STATS);
}

void kng_health_init(void)
{
	begins(HEALTH);
}

bool kng_watch_complete(void)
{
	return complete;
}

bool kng_watch_found_exchangeable(void)
{
	return older;
}

bool kng_watch_kernel_cancels(void)
{
	return cancels;
}

void kng_health_exit(void)
{
	ends(HEALTH);
}

void kng_stats_exit(void)
{
	ends(STATS);
}

void kng_exact_exit(void)
{
	ends(EXACT);
}

void kng_storage_exit(void)
{
	ends(STORAGE);
}

void kng_watch_exit(void)
{
	ends(DOOR);
	ends(WATCH);
}

void kng_release_exit(void)
{
	ends(RELEASE);
}

void kng_learn_exit(void)
{
	ends(LEARN);
}

void kng_drain_exit(void)
{
	ends(DRAIN);
}

void kng_reserve_exit(void)
{
	ends(RESERVE);
}

void kng_maps_exit(void)
{
	ends(MAPS);
}

#include "../../module/main.c"

static void begin(void)
{
	memset(errors, 0, sizeof(errors));
	memset(is_up, 0, sizeof(is_up));
	kng_params = (struct kng_params){ .jobs = 4096,
					  .max_jobs = 8192,
					  .teardown = KNG_TEARDOWN_NEEDED };
	guarded = 4;
	lookups = complete = ftrace = true;
	cancels = older = trusted = false;
	wrong = NULL;
	promised = nr_said = 0;
	said[0] = 0;
}

/* What is still there, or what went wrong */
static const char *left(void)
{
	unsigned int i;

	if (wrong)
		return wrong;
	for (i = POOL; i < NR_STEPS; i++)
		if (is_up[i] && i != SETTLED)
			return step_names[i];
	return lookups ? "lookups" : NULL;
}

static void test_fails(enum step step, int error, int expected, const char *words)
{
	int ret;

	begin();
	kng_params.exact = step == EXACT;
	errors[step] = error;
	ret = kng_init();
	tap_ok(ret == expected && !left() && strstr(said, words) && nr_said <= 1,
	       "%s fails with %d: %d, %s: %s", step_names[step], error, ret,
	       left() ?: "nothing stays", said);
}

int main(int argc, char **argv)
{
	int ret;

	tap_start(argc, argv);
	begin();
	ret = kng_init();
	tap_ok(!ret && !wrong && is_up[HEALTH] && is_up[STATS] && is_up[STORAGE] && !is_up[EXACT] &&
	       !lookups,
	       "it loads: %s", said);
	tap_ok(strstr(said, "4096 jobs, hook ftrace") && nr_said == 1, "and says so, once");
	tap_ok(promised == 4096 && teardown_mode == KNG_TEARDOWN_NEEDED, "with what was asked for");
	tap_ok(on_shortage == kng_watch_note_shortage && on_run == kng_reserve_note_usage,
	       "who is to be told of what is");
	kng_exit();
	tap_ok(!left(), "it unloads: %s", left() ?: "nothing stays");
	tap_ok(strstr(said, "destructors run in NMI again"), "and says so");

	test_fails(PARAMS, -EINVAL, -EINVAL, "");
	test_fails(HOOK, -EOPNOTSUPP, -EOPNOTSUPP, "");
	test_fails(POOL, -ENOMEM, -ENOMEM, "no memory for 4096 jobs: load with a smaller jobs=");
	test_fails(DTOR, -ENOMEM, -ENOMEM, "modules can't be followed (-12)");
	test_fails(RESERVE, -ENOMEM, -ENOMEM, "no workqueue can be made (-12)");
	test_fails(DRAIN, -ENOMEM, -ENOMEM, "the per-CPU queues can't be set up (-12)");
	test_fails(LEARN, -EEXIST, -EEXIST, "modules can't be followed (-17)");
	test_fails(WATCH, -EBUSY, -EBUSY, "nothing can be hooked (-16): what to do");
	test_fails(WATCH, -EEXIST, -EIO, "nothing can be hooked (-17)");
	test_fails(RELEASE, -ENOMEM, -ENOMEM, "no memory to hook releases");
	test_fails(RELEASE, -EMFILE, -EMFILE, "no file descriptor is left (-24)");
	test_fails(RELEASE, -ENFILE, -ENFILE, "no file descriptor is left (-23)");
	test_fails(RELEASE, -EINVAL, -EINVAL, "the kernel makes no map with a kptr (-22)");
	test_fails(DOOR, -EINTR, -EINTR, "");
	test_fails(DOOR, -ENOMEM, -ENOMEM, "nothing can be hooked (-12)");
	test_fails(EXACT, -EBUSY, -EBUSY, "");

	begin();
	errors[DOOR] = -EBUSY;
	ret = kng_init();
	tap_ok(!ret && is_up[RELEASE] && !wrong && nr_said == 2,
	       "without the teardown door it loads");
	kng_exit();
	begin();
	errors[DOOR] = -EBUSY;
	guarded = 0;
	ret = kng_init();
	tap_ok(ret == -EBUSY && !left() && strstr(said, "nothing can be hooked"),
	       "without both it does not");
	begin();
	guarded = 0;
	ret = kng_init();
	tap_ok(!ret && teardown_mode == KNG_TEARDOWN_ALWAYS,
	       "without the release door the other opens");
	kng_exit();
	begin();
	guarded = 0;
	cancels = true;
	ret = kng_init();
	tap_ok(ret == -EBUSY && !left() && strstr(said, "no release function can be hooked"),
	       "if that is of no use, it does not load: %s", said);
	begin();
	errors[WATCH] = -EOPNOTSUPP;
	ret = kng_init();
	tap_ok(!ret && !wrong, "maps that can't be followed do not matter");
	kng_exit();

	begin();
	kng_params.exact = true;
	kng_params.teardown = KNG_TEARDOWN_AUTO;
	ret = kng_init();
	tap_ok(!ret && is_up[EXACT] && trusted && teardown_mode == KNG_TEARDOWN_ALWAYS &&
	       nr_said == 1,
	       "reserve=exact: the count is trusted, and the teardown door is open");
	kng_exit();
	tap_ok(!left(), "it unloads: %s", left() ?: "nothing stays");
	begin();
	kng_params.exact = older = true;
	ret = kng_init();
	tap_ok(!ret && is_up[EXACT] && !trusted && nr_said == 2, "not with maps that are older");
	kng_exit();
	begin();
	kng_params.exact = true;
	complete = false;
	ret = kng_init();
	tap_ok(ret == -EOPNOTSUPP && !left() &&
	       strstr(said, "maps can't be followed: load with reserve=capacity"),
	       "nor where maps can't be followed: %s", said);
	begin();
	ftrace = false;
	kng_init();
	tap_ok(strstr(said, "hook kprobe, which misses calls"),
	       "of kprobes it says what they miss");
	kng_exit();
	return tap_done();
}
