// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guard says of itself: module/health.c and delay.c themselves. What they ask
 * others for is a variable here.
 */
#include "seq_buf.h"

#define KNG_COMPAT_H
#define KNG_COUNT_H
#define KNG_EXACT_H
#define KNG_HOOK_H
#define KNG_RESERVE_H
#define KNG_STORAGE_H
#define KNG_TEARDOWN_H
#define KNG_TYPES_H
#define KNG_UNWATCHED_H
#define KNG_WATCH_H
#define KNG_CONST_MODULE_ATTR
#include "kng_counters.h"

static int scnprintf(char *to, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(to, size, fmt, args);
	va_end(args);
	return min(len, (int)size - 1);
}

/* sysfs, and the work that looks */

struct work_struct {
	void (*func)(struct work_struct *work);
};

struct delayed_work {
	struct work_struct work;
	long delay;
	bool queued;
};

struct module_attribute;
struct module_kobject {
	int kobj;
};

static struct module {
	struct module_kobject mkobj;
} this_module;

struct attribute {
	const char *name;
	int mode;
};

struct module_attribute {
	struct attribute attr;
	ssize_t (*show)(struct module_attribute *attr, struct module_kobject *mk, char *buf);
};

#define THIS_MODULE	(&this_module)
#define DECLARE_DEFERRABLE_WORK(name, fn)	struct delayed_work name = { { fn } }
#define schedule_delayed_work(w, d)		((w)->queued = true, (w)->delay = (d))
#define cancel_delayed_work_sync(w)		((w)->queued = false)

static unsigned int notified, files;
static int create_error;

#define sysfs_notify(kobj, dir, name)	((void)(kobj), notified += !strcmp(name, "health"))
#define sysfs_remove_file(kobj, a)	((void)(kobj), (void)(a), files--)

static int sysfs_create_file(int *kobj, const struct attribute *attr)
{
	(void)kobj;
	if (create_error)
		return create_error;
	files += !strcmp(attr->name, "health") && attr->mode == 0444;
	return 0;
}

static u64 counts[KNG_NR_COUNTERS], shortfall, unwatched, missed_teardown, missed_release;
static s64 references;
static bool door_failed, unhooked, ftrace = true, complete = true;
static const char *missing = "";
static unsigned int looks;
static u64 bypassed_later;

#define kng_reserve_shortfall()		shortfall
#define kng_unwatched()			unwatched
#define kng_teardown_missed()		missed_teardown
#define kng_types_missed()		missed_release
#define kng_exact_references()		references
#define kng_watch_door_failed()		door_failed
#define kng_hook_uses_ftrace()		ftrace
#define kng_watch_state()		(complete ? "complete" : "new maps only")
#define kng_storage_unhooked()		unhooked
#define kng_types_show_missing(m)	seq_buf_puts(m, missing)
#define usleep_range(from, to)		(counts[KNG_BYPASSED] = bypassed_later)

static u64 kng_count_sum(enum kng_counter what)
{
	looks++;
	return counts[what];
}

#include "../../module/health.c"

static const char *health(void)
{
	static char line[LINE_SIZE];
	ssize_t len = health_attr.show(&health_attr, NULL, line);

	if (len != (ssize_t)strlen(line) || line[len - 1] != '\n')
		return "not a line";
	line[len - 1] = 0;
	return line;
}

static bool health_is(const char *what)
{
	const char *is = health();

	if (!strcmp(is, what))
		return true;
	tap_diag("health: %s", is);
	return false;
}

static void test_health(void)
{
	static const char * const names[] = KNG_COUNTER_NAMES;
	static const enum kng_counter bad[] = {
		KNG_EMPTY,   KNG_TABLE_FULL, KNG_LEAKED,      KNG_KEPT,
		KNG_INLINED, KNG_REFUSED,    KNG_BAD_CONTEXT,
	};
	unsigned int i, quiet = 0, j;
	char want[LINE_SIZE + 64], many[200] = "";
	long total;

	tap_ok(health_is("ok"), "ok");
	for (i = 0; i < KNG_NR_COUNTERS; i++) {
		bool is_bad = i == KNG_BYPASSED;

		for (j = 0; j < ARRAY_SIZE(bad); j++)
			is_bad |= bad[j] == i;
		counts[i] = 7;
		bypassed_later = counts[KNG_BYPASSED];
		snprintf(want, sizeof(want), "degraded: %s=7", names[i]);
		if (is_bad)
			tap_ok(health_is(want), "%s", want);
		else
			quiet += health_is("ok");
		counts[i] = 0;
	}
	tap_ok(quiet == KNG_NR_COUNTERS - ARRAY_SIZE(bad) - 1, "no other counter is a fault");
	counts[KNG_BYPASSED] = 9;
	bypassed_later = 0;
	tap_ok(health_is("ok"), "a call that is under way is none");
	counts[KNG_BYPASSED] = 9;
	bypassed_later = 4;
	tap_ok(health_is("degraded: bypassed=4"), "what stays of several is");
	counts[KNG_BYPASSED] = bypassed_later = 0;

	shortfall = 12;
	tap_ok(health_is("degraded: shortfall=12"), "shortfall");
	unwatched = 3;
	missed_teardown = 4;
	missed_release = 5;
	tap_ok(health_is("degraded: shortfall=12, maps_unwatched=3, missed=9"),
	       "maps, and both doors' misses");
	shortfall = unwatched = missed_teardown = missed_release = 0;
	references = -2;
	tap_ok(health_is("degraded: references=-2"), "a count below zero");
	references = 5;
	tap_ok(health_is("ok"), "one above is none");
	references = 0;
	door_failed = true;
	tap_ok(health_is("degraded: door_teardown=closed"), "a door that does not open");
	door_failed = false;
	unhooked = true;
	tap_ok(health_is("degraded: storage_delete=unhooked"), "deletes that are not refused");
	unhooked = false;
	complete = false;
	tap_ok(health_is("degraded: map_watch=new maps only"), "maps that are not followed");
	ftrace = false;
	tap_ok(health_is("ok"), "with kprobes none are");
	ftrace = complete = true;
	missing = ", door_release_task_struct=none";
	tap_ok(health_is("degraded: door_release_task_struct=none"), "half a door");

	for (i = 0; i < KNG_NR_COUNTERS; i++)
		counts[i] = ~0ULL;
	bypassed_later = shortfall = unwatched = missed_release = ~0ULL;
	references = INT64_MIN;
	door_failed = unhooked = true;
	memset(many, 'x', sizeof(many) - 1);
	missing = many;
	total = health_attr.show(&health_attr, NULL, want);
	tap_ok(total == LINE_SIZE - 1 && total == (long)strlen(want) &&
	       !strncmp(want, "degraded: shortfall", 19),
	       "all at once: what does not fit is cut off");
	memset(counts, 0, sizeof(counts));
	bypassed_later = shortfall = unwatched = missed_release = references = 0;
	door_failed = unhooked = false;
	missing = "";

	kng_health_init();
	tap_ok(files == 1 && look_work.queued && !look_work.delay,
	       "the file is there, for everybody");
	look(&look_work.work);
	notified = 0;
	look(&look_work.work);
	tap_ok(!notified && look_work.queued && look_work.delay == HZ,
	       "who polls is not woken for nothing");
	counts[KNG_LEAKED] = 1;
	look(&look_work.work);
	look(&look_work.work);
	tap_ok(notified == 1, "but for news, once");
	counts[KNG_LEAKED] = 0;
	look(&look_work.work);
	tap_ok(notified == 2, "good news as well");
	kng_health_exit();
	tap_ok(!files && !look_work.queued, "it goes");
	create_error = -ENOMEM;
	kng_health_init();
	kng_health_exit();
	tap_ok(!files && !look_work.queued, "without memory there is none");
}

/* Delays: a counter of the CPU that runs three times as fast as nanoseconds go by */

#define this_cpu_read(var)		(var)
#define this_cpu_write(var, v)		((var) = (v))
#define get_cycles()			cycles
#define ilog2(v)			(63 - __builtin_clzll(v))
#undef seq_buf_printf
#define seq_buf_printf(m, ...)		((void)(m), show(__VA_ARGS__))
static u64 cycles = 1000;

static u64 mul_u64_u64_div_u64(u64 a, u64 b, u64 c)
{
	return (__uint128_t)a * b / c;
}

#include "../../module/delay.c"

static u64 value_of(const char *name)
{
	const char *line = strstr(shown, name);

	return line ? strtoull(line + strlen(name), NULL, 10) : ~0ULL;
}

static u64 nr_of(const char *bucket)
{
	char name[64];

	snprintf(name, sizeof(name), "delay_below_%s: ", bucket);
	nr_shown = shown[0] = 0;
	kng_delay_show(NULL);
	return value_of(name);
}

static void test_delays(void)
{
	u64 then, sum = 0, half, ns;
	unsigned int i;

	kng_delay_init();
	then = kng_delay_now();
	jiffies += HZ;
	cycles += 3000000000ULL;
	ns = kng_delay_ns(then);
	tap_ok(ns > 999000000 && ns < 1001000000, "a second is a second (%llu ns)",
	       (unsigned long long)ns);
	half = kng_delay_ns(cycles - 1500000000ULL);
	tap_ok(half > 499000000 && half < 501000000, "half of it is half a second");
	tap_ok(!kng_delay_ns(cycles + 100), "another CPU's counter may be ahead");
	tap_ok(!kng_delay_ns(cycles), "no time is none");
	start_cycles = cycles;
	tap_ok(!kng_delay_ns(cycles), "nor is there any at load");

	static const struct {
		u64 us;
		const char *bucket;
	} cases[] = {
		{ 0, "1us" },		{ 1, "2us" },
		{ 2, "4us" },		{ 3, "4us" },
		{ 4, "8us" },		{ 511, "512us" },
		{ 512, "1ms" },		{ 1024, "2ms" },
		{ 1023, "1ms" },	{ 524287, "524ms" },
		{ 524288, "1s" },	{ 1048575, "1s" },
		{ 1048576, "forever" }, { 10000000000ULL, "forever" },
	};

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 before = nr_of(cases[i].bucket);

		kng_delay_note(cases[i].us * 1000 + 999, 3);
		tap_ok(nr_of(cases[i].bucket) == before + 3, "%llu us: below %s",
		       (unsigned long long)cases[i].us, cases[i].bucket);
	}
	for (i = 0; i < NR_BUCKETS; i++)
		sum += nr_of(bucket_names[i]);
	tap_ok(sum == 3 * ARRAY_SIZE(cases), "each is in one");
	tap_ok(value_of("delay_max_us: ") == 10000000000ULL, "the longest is known");
	kng_delay_note(5000, 1);
	nr_of("1us");
	tap_ok(value_of("delay_max_us: ") == 10000000000ULL, "and stays");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv);
	test_health();
	test_delays();
	return tap_done();
}
