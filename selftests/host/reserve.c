// SPDX-License-Identifier: GPL-2.0-only
/*
 * The watched maps, what they are charged, and the reserve that follows them:
 * module/charge.c, maps.c, unwatched.c, mapsfile.c, report.c and reserve.c themselves. The
 * worker runs when it is due; seconds go by at once. The pool here is a number of jobs.
 */
#include "linux.h"

/* Work */

struct workqueue_struct {
	int unused;
};

struct work_struct {
	void (*func)(struct work_struct *work);
};

struct delayed_work {
	struct work_struct work;
	bool queued;
	unsigned long due;
};

#define DECLARE_DELAYED_WORK(name, fn)	struct delayed_work name = { .work.func = fn }
#define WQ_UNBOUND	1
#define WQ_HIGHPRI	2

static struct workqueue_struct a_workqueue;
static struct delayed_work *the_work;
static unsigned int runs;

static void mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *w,
			     unsigned long delay)
{
	(void)wq;
	the_work = w;
	w->queued = true;
	w->due = jiffies + delay;
}

static void queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *w,
			       unsigned long delay)
{
	if (!w->queued)
		mod_delayed_work(wq, w, delay);
}

static void flush_delayed_work(struct delayed_work *w)
{
	if (!w->queued)
		return;
	w->queued = false;
	runs++;
	w->work.func(&w->work);
}

static void cancel_delayed_work_sync(struct delayed_work *w)
{
	w->queued = false;
}

#define alloc_workqueue(...)	(&a_workqueue)
#define destroy_workqueue(wq)	((void)(wq))

/* What is due now, and for so many seconds */
static void due(void)
{
	while (the_work && the_work->queued && time_after_eq(jiffies, the_work->due))
		flush_delayed_work(the_work);
}

static void pass(double seconds)
{
	long ticks = seconds * HZ;

	due();
	while (ticks-- > 0) {
		jiffies++;
		due();
	}
}

/* Memory, in pages. A pool: so many jobs, so many of them in use, so many marked */

#define KNG_CHUNK_JOBS	4096

static unsigned long ram = 1UL << 20, available = 1UL << 19;
static u32 pool_total, pool_used, pool_marked;
static u32 chunks[8192];
static unsigned int nr_chunks;
static bool pool_fails, pool_busy;	/* @pool_busy: what is marked is in use */
static void (*while_growing)(void), (*while_marking)(void);

#define totalram_pages()	ram
#define si_mem_available()	((long)available)

static u32 kng_pool_total(void)
{
	return pool_total;
}

static u32 kng_pool_in_use(void)
{
	return pool_used;
}

static u32 kng_pool_grow(u32 jobs)
{
	u32 left;

	if (while_growing)
		while_growing();
	if (pool_fails)
		return 0;
	pool_total += jobs;
	for (left = jobs; left; left -= chunks[nr_chunks++])
		chunks[nr_chunks] = min_t(u32, left, KNG_CHUNK_JOBS);
	return jobs;
}

/* Whole chunks, the last ones first. What was there at first is none. */
static u32 kng_pool_mark(u32 jobs)
{
	if (while_marking)
		while_marking();
	while (nr_chunks && pool_marked + chunks[nr_chunks - 1] <= jobs)
		pool_marked += chunks[--nr_chunks];
	return pool_marked;
}

static u32 kng_pool_collect(void)
{
	u32 nr = pool_busy ? 0 : pool_marked;

	pool_total -= nr;
	pool_marked -= nr;
	return nr;
}

static bool kng_pool_shrinks(void)
{
	return pool_marked;
}

/* reserve=exact counts; here it is off. Jobs that are promised are those that there are. */

static u32 promised;

#define smp_mb()	((void)0)

#define KNG_EXACT_H
static u64 kng_exact_covered(void);
static bool exact_is_short;
#define kng_exact_short()	exact_is_short
#define kng_exact_raise(jobs)	((void)(promised += (jobs)))
#define kng_exact_lower(jobs)	(promised -= (jobs), true)

/* The headers of files that are not here */
#define KNG_TRACE_H
#define KNG_MODULE_POOL_H
#define KNG_COMPAT_H
#define KNG_ENTRY_H

static unsigned int seen, gone;

#define trace_map_seen(id, charge)	((void)(id), (void)(charge), seen++)
#define trace_map_gone(id, charge)	((void)(id), (void)(charge), gone++)
static unsigned int resizes;
#define trace_pool_resized(before, now, wanted)	((void)(before), resizes++)

struct seq_operations {
	void *(*start)(struct seq_file *m, long long *pos);
	void (*stop)(struct seq_file *m, void *v);
	void *(*next)(struct seq_file *m, void *v, long long *pos);
	int (*show)(struct seq_file *m, void *v);
};

#define loff_t	long long

#include "../../module/params.h"
struct kng_params kng_params;

#include "../../module/count.h"
struct kng_counts kng_counts;

#include "../../module/unwatched.c"
#include "../../module/charge.c"
#include "../../module/maps.c"
#include "../../module/mapsfile.c"
#include "../../module/report.c"
#include "../../module/reserve.c"

static u64 kng_exact_covered(void)
{
	return kng_maps_charged();
}

/* A second is over. */
static unsigned int shortages;

static void shortage(void)
{
	shortages++;
}

static void begin(u32 jobs, u32 headroom_jobs, u32 max_jobs)
{
	kng_params = (struct kng_params) {
		.jobs = jobs, .headroom = headroom_jobs, .max_jobs = max_jobs, .floor = 1024,
	};
	pool_total = promised = jobs;
	pool_used = pool_marked = nr_chunks = 0;
	memset(&kng_counts, 0, sizeof(kng_counts));
	nr_said = shortages = 0;
	kng_reserve_init(shortage);
	kng_reserve_settle();
}

static void end(const char *what)
{
	u64 grown = kng_counts.nr[KNG_GROWN], trimmed = kng_counts.nr[KNG_TRIMMED];

	tap_ok(pool_total == kng_params.jobs + grown - trimmed && promised == pool_total,
	       "%s: all jobs are accounted for: %u + %llu - %llu", what, kng_params.jobs,
	       (unsigned long long)grown, (unsigned long long)trimmed);
	tap_ok(!locked && !reading, "%s: each lock was let go", what);
	kng_reserve_exit();
}

/* Maps */

static void task_dtor(void *obj)
{
	(void)obj;
}

static struct btf_record object_rec = {
	.cnt = 1, .field_mask = BPF_KPTR_REF,
	.fields = { { .type = BPF_KPTR_REF, .kptr.dtor = task_dtor } },
};

static struct btf_record plain_rec = { .cnt = 1, .field_mask = BPF_TIMER };

#define KPTR	{ .type = BPF_KPTR_REF, .kptr.dtor = task_dtor }
#define OBJECT	{ .type = BPF_KPTR_REF }
#define LIST(of) { .type = BPF_LIST_HEAD, .graph_root.value_rec = of }
#define TREE(of) { .type = BPF_RB_ROOT, .graph_root.value_rec = of }

static const struct kind {
	const char *name;
	enum bpf_map_type type;
	u32 entries;
	struct btf_field fields[3];
	u64 references, floor;
	bool owns, stay;
} kinds[] = {
	{ "array", BPF_MAP_TYPE_ARRAY, 100, { KPTR }, 100, 0, true, true },
	{ "percpu_array", BPF_MAP_TYPE_PERCPU_ARRAY, 100, { KPTR }, 400, 0, true, true },
	{ "hash", BPF_MAP_TYPE_HASH, 100, { KPTR }, 104, 0, true },
	{ "percpu_hash", BPF_MAP_TYPE_PERCPU_HASH, 100, { KPTR }, 416, 0, true },
	{ "lru_hash", BPF_MAP_TYPE_LRU_HASH, 100, { KPTR }, 104, 0, true },
	{ "lru_percpu_hash", BPF_MAP_TYPE_LRU_PERCPU_HASH, 100, { KPTR }, 416, 0, true },
	{ "two", BPF_MAP_TYPE_HASH, 100, { KPTR, KPTR }, 208, 0, true },
	{ "two in an array", BPF_MAP_TYPE_ARRAY, 100, { KPTR, KPTR }, 200, 0, true, true },
	{ "task_storage", BPF_MAP_TYPE_TASK_STORAGE, 0, { KPTR }, 0, 1024, true },
	{ "cgrp_storage", BPF_MAP_TYPE_CGRP_STORAGE, 0, { KPTR, KPTR }, 0, 1024, true },
	{ "object", BPF_MAP_TYPE_ARRAY, 100, { OBJECT }, 0, 1024, true },
	{ "object and kptr", BPF_MAP_TYPE_ARRAY, 100, { OBJECT, KPTR }, 100, 1024, true },
	{ "list", BPF_MAP_TYPE_ARRAY, 100, { LIST(&object_rec) }, 0, 1024, true },
	{ "tree", BPF_MAP_TYPE_ARRAY, 100, { TREE(&object_rec) }, 0, 1024, true },
	{ "list of nothing", BPF_MAP_TYPE_ARRAY, 100, { LIST(&plain_rec) }, 0, 0, true },
	{ "and a timer", BPF_MAP_TYPE_ARRAY, 100, { KPTR, { .type = BPF_TIMER } }, 100, 0, true },
	{ "kptr and lock",
	  BPF_MAP_TYPE_ARRAY,
	  100,
	  { KPTR, { .type = BPF_SPIN_LOCK } },
	  100,
	  0,
	  true,
	  true },
	{ "kptr and a plain one",
	  BPF_MAP_TYPE_ARRAY,
	  100,
	  { KPTR, { .type = BPF_KPTR_UNREF } },
	  100,
	  0,
	  true,
	  true },
	{ "timer", BPF_MAP_TYPE_ARRAY, 100, { { .type = BPF_TIMER } }, 0, 0, false },
	{ "per-CPU object", BPF_MAP_TYPE_ARRAY, 100, { { .type = BPF_KPTR_PERCPU } }, 0, 0, false },
	{ "large", BPF_MAP_TYPE_PERCPU_ARRAY, 3U << 30, { KPTR }, 12ULL << 30, 0, true, true },
};

#define MAPS	3000
static struct bpf_map maps[MAPS];
static struct btf_record records[MAPS];

static struct bpf_map *map_of(unsigned int i, const struct kind *kind, u32 entries)
{
	struct bpf_map *map = &maps[i];
	unsigned int f;

	memset(&records[i], 0, sizeof(records[i]));
	for (f = 0; f < 3 && kind->fields[f].type; f++) {
		records[i].fields[f] = kind->fields[f];
		records[i].field_mask |= kind->fields[f].type;
		records[i].cnt++;
	}
	*map = (struct bpf_map) {
		.record = &records[i], .id = i + 1, .max_entries = entries ?: kind->entries,
		.map_type = kind->type,
	};
	snprintf(map->name, sizeof(map->name), "map%u", i);
	return map;
}

/* As watch.c does */
static bool comes(struct bpf_map *map)
{
	bool added = kng_maps_add(map);

	if (added)
		kng_reserve_map_changed();
	return added;
}

static void goes(struct bpf_map *map)
{
	if (kng_maps_del(map->record))
		kng_reserve_map_changed();
}

/* The file, as it is read, and how many lines it has */
static unsigned int listed(void)
{
	unsigned int lines = 0;
	long long pos = 0;
	char *c;
	void *v;

	nr_shown = 0;
	for (v = kng_maps_sops.start(NULL, &pos); v; v = kng_maps_sops.next(NULL, v, &pos))
		lines += 10000 * !!kng_maps_sops.show(NULL, v);
	kng_maps_sops.stop(NULL, NULL);
	shown[nr_shown] = 0;
	for (c = shown; *c; c++)
		lines += *c == '\n';
	return lines;
}

/* The line of a map that has just come */
static void line_of(const struct bpf_map *map, const struct kng_charge *c, char *line, size_t size)
{
	static const char * const types[] = {
		"hash", "array", "percpu_hash", "percpu_array", "lru_hash", "lru_percpu_hash",
		"sk_storage", "inode_storage", "task_storage", "cgrp_storage",
	};
	char fields[128] = " -";
	int i, len = 0;

	for (i = 0; i < c->nr_dtors; i++)
		len += sprintf(fields + len, "%s%ps", i ? "," : " ", c->dtor[i]);
	if (c->floored)
		sprintf(fields + len, len ? ",floor" : " floor");
	snprintf(line, size, "%u %s %s entries %u charge %llu fields%s waits\n", map->id, map->name,
		 types[map->map_type], map->max_entries,
		 (unsigned long long)c->references + c->floor, fields);
}

static void test_charges(void)
{
	char line[256];

	const struct kind *k;

	for (k = kinds; k < kinds + ARRAY_SIZE(kinds); k++) {
		struct bpf_map *map = map_of(0, k, 0);
		struct kng_charge c;
		bool added;
		u64 charge;

		kng_charge(&c, map);
		tap_ok(kng_charge_owns(map->record) == k->owns && c.references == k->references &&
		       c.floor == k->floor && c.floored == !!k->floor &&
		       (c.slots == KNG_SLOTS_STAY) == k->stay && c.slots != KNG_SLOTS_UNKNOWN,
		       "%s: %llu references, floor %u%s", k->name, (unsigned long long)c.references,
		       c.floor, k->stay ? ", slots stay" : "");
		added = kng_maps_add(map);
		charge = kng_maps_charged();
		line_of(map, &c, line, sizeof(line));
		tap_ok(listed() == added && (!added || !strcmp(shown, line)),
		       "%s: shown as it is: %.*s", k->name, (int)strcspn(line, "\n"), line);
		tap_ok(added == k->owns && charge == (k->owns ? k->references + k->floor : 0) &&
		       kng_maps_watched() == k->owns && kng_maps_floored() == !!k->floor &&
		       kng_maps_bounded() == !k->floor && kng_maps_del(map->record) == k->owns &&
		       !kng_maps_charged() && !kng_maps_watched() && !kng_maps_floored(),
		       "%s: comes and goes", k->name);
	}
	tap_ok(!kng_charge_owns(NULL) && !kng_charge_owns(ERR_PTR(-EINVAL)),
	       "no record owns nothing");
}

static void test_account(void)
{
	unsigned int i, right = 0;

	for (i = 0; i < MAPS; i++)
		comes(map_of(i, &kinds[i % 2 ? 2 : 0], 10));
	tap_ok(kng_maps_watched() == MAPS && kng_maps_charged() == MAPS / 2 * (10 + 14),
	       "%u maps, several in a chain: each is charged", MAPS);
	for (i = 0; i < MAPS; i++)
		right += kng_maps_slots(&records[i]) == (i % 2 ? KNG_SLOTS_GO : KNG_SLOTS_STAY);
	tap_ok(right == MAPS, "each is found (%u)", right);
	tap_ok(kng_maps_slots(&plain_rec) == KNG_SLOTS_UNKNOWN, "and no other");
	tap_ok(listed() == MAPS, "and shown");
	tap_ok(strstr(shown, "\n1 map0 array entries 10 charge 10 fields ") &&
	       strstr(shown, "\n2 map1 hash entries 10 charge 14 fields "), "as what it is: %.*s",
	       (int)strcspn(shown, "\n"), shown);
	tap_ok(!comes(&maps[7]) && kng_maps_watched() == MAPS,
	       "one that is opened again is not new");
	maps[7].id = 77777;
	tap_ok(comes(&maps[7]) && kng_maps_watched() == MAPS,
	       "one whose end was missed is replaced");
	pass(0);
	listed();
	tap_ok(strstr(shown, " met_us ") && !strstr(shown, "waits"), "they have their jobs: %.*s",
	       (int)strcspn(shown, "\n"), shown);
	for (i = 0; i < MAPS; i += 2)
		goes(&maps[i]);
	for (right = 0, i = 0; i < MAPS; i++)
		right += kng_maps_slots(&records[i]) == (i % 2 ? KNG_SLOTS_GO : KNG_SLOTS_UNKNOWN);
	tap_ok(right == MAPS && kng_maps_charged() == MAPS / 2 * 14,
	       "every other goes, the rest stays");
	for (i = 1; i < MAPS; i += 2)
		goes(&maps[i]);
	tap_ok(!kng_maps_charged() && !kng_maps_watched() && !live, "all go, and nothing is left");
	tap_ok(!kng_maps_del(&records[3]), "what is not there can't go");
	for (i = 0; i < 10; i++)
		comes(map_of(i, &kinds[2], 10));
	kng_maps_exit();
	tap_ok(!live, "at unload what is left is freed (%d)", live);
	memset(table, 0, sizeof(table));
	charged = nr_watched = 0;
	uncovered = (struct list_head) { &uncovered, &uncovered };
}

static void test_unwatched(void)
{
	unsigned int i;

	no_memory = true;
	tap_ok(!comes(map_of(0, &kinds[0], 0)), "without memory a map is not watched");
	comes(&maps[0]);
	tap_ok(kng_unwatched() == 1 && !kng_maps_watched() && !kng_maps_bounded(),
	       "but counted, once");
	comes(map_of(1, &kinds[0], 0));
	comes(map_of(2, &kinds[0], 0));
	goes(&maps[0]);
	tap_ok(kng_unwatched() == 2, "until it goes");
	no_memory = false;
	tap_ok(comes(&maps[2]) && kng_unwatched() == 1 && kng_maps_watched() == 1,
	       "or is opened again, with memory");
	goes(&maps[1]);
	goes(&maps[2]);
	tap_ok(!kng_unwatched() && !kng_maps_watched() && kng_maps_bounded(), "none is left");
	for (i = 0; i < 3; i++)
		kng_unwatched_add(&records[i]);
	kng_unwatched_del(&records[1]);
	kng_unwatched_add(&records[0]);
	kng_unwatched_add(&records[2]);
	tap_ok(kng_unwatched() == 2, "of three the one that goes is forgotten, and no other");
	kng_unwatched_del(&records[0]);
	kng_unwatched_del(&records[1]);
	kng_unwatched_del(&records[2]);
	tap_ok(!kng_unwatched(), "who is not there changes nothing");
	no_memory = true;
	for (i = 0; i < 130; i++)
		comes(map_of(i, &kinds[0], 0));
	tap_ok(kng_unwatched() == 130, "more than the table holds: counted all the same");
	no_memory = false;
	for (i = 0; i < 130; i++)
		goes(&maps[i]);
	tap_ok(kng_unwatched() == 2, "and those stay counted");
	nr_more = 0;
}

static void comes_while_marking(void)
{
	while_marking = NULL;
	comes(map_of(1, &kinds[0], 30000));
}

static void test_follows(void)
{
	u32 before;

	begin(4096, 2048, 1 << 20);
	tap_ok(pool_total == 4096 && want() == 4096 && !shortfall && headroom == 2048,
	       "without a map there are as many jobs as were asked for");
	comes(map_of(0, &kinds[0], 2048));
	pass(0);
	tap_ok(want() == 4096 && pool_total == 4096, "a map that these are enough for adds none");
	comes(map_of(1, &kinds[0], 10000));
	pass(0);
	tap_ok(want() == 2048 + 10000 + 2048 && pool_total == 4096 + 3 * 4096 && !shortfall,
	       "a large one does, at once, in whole chunks (%u)", pool_total);
	goes(&maps[1]);
	pass(0.9);
	tap_ok(want() == 4096 && pool_total == 4 * 4096, "it goes: jobs stay for a second");
	comes(&maps[1]);
	pass(0.5);
	goes(&maps[1]);
	pass(0.9);
	tap_ok(pool_total == 4 * 4096, "and if it comes again meanwhile, for another");
	pass(2);
	tap_ok(pool_total == 4096, "then they go (%u)", pool_total);
	pass(1);
	before = runs;
	pass(10);
	tap_ok(runs == before, "and the worker sleeps");
	goes(&maps[0]);
	pass(3);

	/* Jobs are marked, but still in use, when others are want() again. */
	comes(map_of(0, &kinds[0], 10000));
	pass(0);
	goes(&maps[0]);
	pool_busy = true;
	pass(2);
	tap_ok(pool_marked && pool_total == 3 * 4096, "jobs that go, but are in use");
	comes(map_of(0, &kinds[0], 10000));
	pool_busy = false;
	flush_delayed_work(&resize_work);
	tap_ok(!shortfall && pool_total >= want(), "are made anew when others are wanted (%u)",
	       pool_total);
	pass(3);
	before = runs;
	pass(5);
	tap_ok(runs == before, "with enough jobs the worker sleeps");
	kng_params.shrink = true;
	kng_reserve_changed();
	pass(5);
	tap_ok(runs > before + 3, "with shrink=Y it looks each second");
	kng_params.shrink = false;
	tap_ok(!shortages, "nobody was told of a shortage");
	nr_shown = 0;
	kng_reserve_show(NULL);
	shown[nr_shown] = 0;
	tap_ok(!strcmp(shown, "maps_watched: 1\nmaps_unwatched: 0\nreserved: 10000\nfloors: 0\n"
			      "headroom: 2048\nwanted: 12048\nshortfall: 0\n"),
	       "the stats say all that");
	goes(&maps[0]);
	pass(5);

	/* A surplus of less than half stays. */
	comes(map_of(0, &kinds[0], 10 * 4096));
	comes(map_of(1, &kinds[0], 4 * 4096));
	pass(0);
	before = pool_total;
	goes(&maps[1]);
	pass(5);
	tap_ok(pool_total == before, "a surplus of less than half stays");
	goes(&maps[0]);
	pass(5);
	tap_ok(pool_total == 4096, "more does not (%u)", pool_total);

	/* The pool has its jobs, but they are about to go. */
	comes(map_of(0, &kinds[0], 10 * 4096));
	pass(5);
	goes(&maps[0]);
	while_marking = comes_while_marking;
	for (before = pool_total; pool_total == before; jiffies++)
		due();
	tap_ok(!while_marking && pool_total >= want(),
	       "a map that comes while jobs are taken away: they are made anew at once (%u)",
	       pool_total);
	goes(&maps[1]);
	pass(5);
	end("as maps come and go");
}

/* A map comes while jobs are made for another. */
static void another_comes(void)
{
	while_growing = NULL;
	comes(map_of(1, &kinds[0], 5000));
}

static bool has_jobs(unsigned int i)
{
	struct kng_map *w = find(&records[i]);

	return w && w->covered;
}

static void test_covered(void)
{
	unsigned int i, nr = 0;

	begin(1, 0, 1 << 20);
	while_growing = another_comes;
	comes(map_of(0, &kinds[0], 100));
	flush_delayed_work(&resize_work);
	tap_ok(has_jobs(0) && !has_jobs(1),
	       "jobs that are being made are not for a map that comes then");
	pass(0);
	tap_ok(has_jobs(1) && pool_total >= 5100, "it gets its own next");
	for (i = 2; i < 400; i++)
		comes(map_of(i, &kinds[0], 1));
	pass(0);
	for (i = 0; i < 400; i++)
		nr += has_jobs(i);
	tap_ok(nr == 400, "of many, each has its jobs (%u)", nr);
	for (i = 0; i < 400; i++)
		goes(&maps[i]);
	pass(5);
	tap_ok(pool_total == 1, "all jobs go back, but for the first (%u)", pool_total);
	end("maps that wait");
}

static void test_limits(void)
{
	unsigned int told;

	begin(64, 0, 4096);
	comes(map_of(0, &kinds[0], 5000));
	pass(0);
	tap_ok(pool_total == 4096 && shortfall == 5000 - 4096 && want() == 5000,
	       "no more than max_jobs: %u, short of %llu", pool_total,
	       (unsigned long long)shortfall);
	tap_ok(shortages && !has_jobs(0),
	       "who can do something about it is told, and the map waits");
	tap_ok(!nr_said, "the log says nothing yet");
	pass(0.5);
	comes(map_of(1, &kinds[0], 1000));
	pass(0.9);
	tap_ok(!nr_said, "nor while the number changes");
	pass(1.2);
	tap_ok(nr_said == 1 && strstr(said, "1904 more jobs are wanted") &&
	       strstr(said, "max_jobs=4096") && strstr(said, "is 1 map0, with 5000"),
	       "then it does: %s", said);
	comes(map_of(2, &kinds[0], 1000));
	pass(15);
	tap_ok(nr_said == 1, "once (%u)", nr_said);
	goes(&maps[0]);
	goes(&maps[1]);
	goes(&maps[2]);
	pass(5);
	tap_ok(!shortfall && !has_jobs(0), "nothing is short any more");
	comes(map_of(0, &kinds[0], 5000));
	pass(3);
	tap_ok(nr_said == 2, "the next time it is said again");
	/* With a number that never rests */
	goes(&maps[0]);
	pass(3);
	told = nr_said;
	for (unsigned int i = 0; i < 30; i++) {
		comes(map_of(i, &kinds[0], 5000));
		pass(0.4);
	}
	tap_ok(nr_said == told + 1, "a number that does not rest is said after ten seconds");
	for (unsigned int i = 0; i < 30; i++)
		goes(&maps[i]);
	pass(5);
	end("at the limit");
}

static void test_memory(void)
{
	u32 before;

	begin(1, 0, 1 << 20);
	pool_fails = true;
	comes(map_of(0, &kinds[0], 100));
	pass(0);
	tap_ok(shortfall == 99 && pool_total == 1, "without memory all are short");
	pass(3);
	tap_ok(nr_said == 1 && strstr(said, "for want of memory"), "the log says why");
	pool_fails = false;
	tap_ok(shortfall == 99 && !has_jobs(0), "the map waits");
	pass(1);
	tap_ok(!shortfall && pool_total == 4097 && has_jobs(0), "it is tried again, each second");
	goes(&maps[0]);
	pass(3);

	/* All that max_jobs allows is wanted, and not to be had. */
	kng_params.max_jobs = 5000;
	pool_fails = true;
	nr_said = 0;
	comes(map_of(0, &kinds[0], 5000));
	pass(3);
	tap_ok(nr_said == 1 && want() == 5000 && strstr(said, "for want of memory"),
	       "that is not for max_jobs=5000: %s", said);
	pool_fails = false;
	goes(&maps[0]);
	pass(3);
	kng_params.max_jobs = 1 << 20;

	/* So much stays for others. */
	available = SZ_128M >> PAGE_SHIFT;
	comes(map_of(0, &kinds[0], 1 << 19));
	available--;
	pass(0);
	tap_ok(pool_total == 1 && shortfall, "with little memory left it takes none");
	pass(3);
	available += 10000;
	pass(3);
	tap_ok(pool_total == 1, "nor when it is a little more");
	available = 2 * (SZ_128M >> PAGE_SHIFT);
	before = pool_total;
	pass(1);
	tap_ok(pool_total == before + 16 * KNG_CHUNK_JOBS, "with twice as much it takes a step");
	pass(1);
	tap_ok(pool_total == before + 32 * KNG_CHUNK_JOBS, "each second");
	pass(20);
	tap_ok(pool_total == 1 + (1 << 19) && !shortfall, "until there are all");
	available = 1UL << 19;
	goes(&maps[0]);
	pass(3);
	ram = 1UL << 10;
	available = (1UL << 10) / 8 - 1;
	comes(map_of(0, &kinds[0], 100));
	pass(0);
	tap_ok(pool_total == 1, "of a small machine an eighth stays for others");
	available++;
	pass(2);
	tap_ok(pool_total == 1, "twice as much, once it was short");
	available *= 2;
	pass(2);
	tap_ok(pool_total == 4097 && !shortfall, "then the jobs are made");
	ram = 1UL << 20;
	available = 1UL << 19;
	goes(&maps[0]);
	pass(3);
	end("for want of memory");
}

static void test_peak(void)
{
	begin(4096, 2048, 1 << 20);
	pool_used = 1600;
	kng_reserve_note_usage();
	pass(0);
	tap_ok(kng_reserve_peak() == 1600 && headroom == 2048 && pool_total == 4096,
	       "jobs in use: a quarter more is less than the headroom");
	pool_used = 4000;
	kng_reserve_note_usage();
	pass(0);
	tap_ok(kng_reserve_peak() == 4000 && headroom == 5000 && want() == 5000 &&
	       pool_total == 8192, "more: the headroom is that, and a quarter");
	pass(3);
	tap_ok(headroom == 5000, "while they are");
	pool_used = 0;
	kng_reserve_note_usage();
	pass(1);
	tap_ok(headroom == 2500, "then half of it, each second (%u)", headroom);
	pass(5);
	tap_ok(headroom == 2048 && pool_total == 4096, "back to what it was, without any NMI (%u)",
	       pool_total);
	tap_ok(kng_reserve_peak() == 4000, "the peak is kept");
	exact_is_short = true;
	the_work->queued = false;
	kng_reserve_note_usage();
	tap_ok(the_work->queued, "a count that runs short wakes the worker, too");
	exact_is_short = false;
	pass(0);
	end("with jobs in use");
}

static void test_floors(void)
{
	unsigned int i;

	begin(64, 0, 16384);
	for (i = 0; i < 4; i++)
		comes(map_of(i, &kinds[10], 0));
	pass(5);
	tap_ok(kng_maps_charged() == 4096 && kng_maps_floors() == 4096 && !nr_said,
	       "four maps of objects: a floor each, a quarter of max_jobs");
	for (i = 4; i < 40; i++)
		comes(map_of(i, &kinds[10], 0));
	pass(0);
	tap_ok(kng_maps_charged() == 4096 && kng_maps_floors() == 40 * 1024 &&
	       kng_maps_floored() == 40,
	       "forty share it");
	pass(2);
	tap_ok(nr_said == 1 &&
	       strstr(said, "40 maps of local storage or objects share 4096 jobs") &&
		       strstr(said, "instead of 40960; the newest is 40 map39"),
	       "the log says so: %s", said);
	comes(map_of(40, &kinds[0], 100));
	pass(5);
	tap_ok(has_jobs(40) && kng_maps_charged() == 4196 && nr_said == 1,
	       "somebody else's map has its jobs");
	for (i = 0; i <= 40; i++)
		goes(&maps[i]);
	pass(5);
	tap_ok(!kng_maps_charged() && !kng_maps_floors(), "nothing is left");
	kng_params.floor = 5000;
	tap_ok(kng_maps_floor_limit() == 5000, "one map has its floor whatever max_jobs is");
	end("floors");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv);
	kng_params.floor = 1024;
	kng_params.max_jobs = 1 << 20;
	test_charges();
	begin(4096, 2048, 1 << 20);
	test_account();
	test_unwatched();
	kng_reserve_exit();
	test_follows();
	test_covered();
	test_limits();
	test_memory();
	test_peak();
	test_floors();
	tap_ok(seen == gone + 10 && resizes,
	       "tracepoints told of each map (%u, %u), and of the pool", seen, gone);
	tap_ok(!live, "all memory is back (%d)", live);
	return tap_done();
}
