// SPDX-License-Identifier: GPL-2.0-only
/*
 * The statistics: module/stats.c itself. Each line has a number of its own here, so that
 * one in another's place is seen; files are what is created in debugfs and sysfs.
 */
#include "seq_buf.h"

#define KNG_COUNT_H
#define KNG_DELAY_H
#define KNG_DRAIN_H
#define KNG_DTOR_H
#define KNG_EXACT_H
#define KNG_HOOK_H
#define KNG_MAPSFILE_H
#define KNG_MODULE_POOL_H
#define KNG_RESERVE_H
#define KNG_STORAGE_H
#define KNG_TEARDOWN_H
#define KNG_TYPES_H
#define KNG_WATCH_H
#define KNG_VERSION	"1.2.3"
#define KBUILD_MODNAME	"kptr_nmi_guard"
#define PAGE_SIZE	4096
#define static_assert(cond)	_Static_assert(cond, #cond)
#include "kng_counters.h"
#include "../../module/params.h"

struct kng_params kng_params;

/* What others say */
static int kng_pool;
static bool ftrace = true, irqsoff;
static u64 counted(unsigned int what);

#define kng_hook_uses_ftrace()		ftrace
#define kng_entry_defers_irqsoff()	irqsoff
#define kng_watch_door()		"as it is"
#define kng_watch_state()		"complete"
#define kng_types_show(m)		seq_buf_puts(m, "door_release_x: both\n")
#define kng_storage_state()		"left alone"
#define kng_pool_total()		101
#define kng_pool_idle(pool)		((void)(pool), 102)
#define kng_pool_in_use()		103
#define kng_reserve_peak()		104
#define kng_drain_longest()		105
#define kng_exact_show(m)		seq_buf_puts(m, "reserve: capacity\n")
#define kng_reserve_show(m)		seq_buf_puts(m, "wanted: 106\n")
#define kng_teardown_missed()		100UL
#define kng_types_missed()		7UL
#define kng_delay_show(m)		seq_buf_puts(m, "delay_max_us: 108\n")
#define kng_dtor_show(m)		seq_buf_puts(m, "run_of_x: 109\n")
#define kng_count_sum(what)		((unsigned long long)counted(what))

static u64 counted(unsigned int what)
{
	return 1000 + what;
}

/* debugfs, sysfs and memory: what is there */
struct seq_file {
	char *buf;
	size_t size;
	int count;
};

#define seq_get_buf(s, b)	(*(b) = (s)->buf, (s)->size)
#define seq_commit(s, n)	((s)->count = (n))
#define DEFINE_SHOW_ATTRIBUTE(name)	static const char name##_fops[] __maybe_unused = #name
#define DEFINE_SEQ_ATTRIBUTE(name)	static const char name##_fops[] __maybe_unused = #name

static char debugfs[256];
static unsigned int files, bad_files, dirs;
static int fail_file;

#define debugfs_create_dir(name, parent) ((struct dentry *)(name))
#define debugfs_remove(d)	((void)(d), debugfs[0] = 0)

struct dentry {
	int unused;
};

static void debugfs_create_file(const char *name, int mode, struct dentry *dir, void *data,
				const void *fops)
{
	size_t len = strlen(debugfs);

	(void)data;
	snprintf(debugfs + len, sizeof(debugfs) - len, "%s/%s %o %s\n", (const char *)dir, name,
		 mode, (const char *)fops);
}

struct kobject {
	int unused;
};

struct attribute {
	const char *name;
	int mode;
};

struct kobj_attribute {
	struct attribute attr;
	ssize_t (*show)(struct kobject *kobj, struct kobj_attribute *attr, char *buf);
};

static struct module {
	struct {
		struct kobject kobj;
	} mkobj;
} this_module;

#define THIS_MODULE		(&this_module)
#define sysfs_attr_init(a)	((void)(a))
#define sysfs_emit(buf, ...)	sprintf(buf, __VA_ARGS__)
#define kvmalloc(size, flags)	kzalloc(size, flags)
#define kvcalloc(n, size, flags)	kzalloc((n) * (size), flags)
#define kvfree(p)		kfree(p)

static struct kobject stats_dir;

static struct kobject *kobject_create_and_add(const char *name, struct kobject *parent)
{
	if (strcmp(name, "stats") || parent != &this_module.mkobj.kobj)
		bad_files++;
	dirs++;
	return &stats_dir;
}

static void kobject_put(struct kobject *kobj)
{
	if (kobj)
		dirs--, files = 0;
}

static char *kstrndup(const char *s, size_t n, int flags)
{
	char *copy = kzalloc(n + 1, flags);

	if (copy)
		memcpy(copy, s, n);
	return copy;
}

static int sysfs_create_file(struct kobject *dir, const struct attribute *attr)
{
	if (dir != &stats_dir || attr->mode != 0444)
		bad_files++;
	if (fail_file && !--fail_file)
		return -ENOMEM;
	files++;
	return 0;
}

#include "../../module/stats.c"

static char text[8192];

static bool has(const char *line)
{
	if (strstr(text, line))
		return true;
	tap_diag("no line '%s'", line);
	return false;
}

static void read_all(void)
{
	struct seq_file s = { text, sizeof(text) };

	memset(text, 0, sizeof(text));
	stats_show(&s, NULL);
	tap_ok(s.count == (int)strlen(text) && s.count > 0, "the file is whole");
}

int main(int argc, char **argv)
{
	static const struct {
		enum kng_counter counter;
		const char *name;
	} names[] = {
		{ KNG_SEEN_NMI, "seen_nmi" }, { KNG_SEEN_IRQSOFF, "seen_irqsoff" },
		{ KNG_TAKEN, "taken" }, { KNG_TAKEN_RELEASE, "taken_release" },
		{ KNG_NOT_LAST, "not_last" }, { KNG_RUN, "run" },
		{ KNG_RUN_HARDIRQ, "run_hardirq" }, { KNG_RUN_WORKER, "run_worker" },
		{ KNG_HANDOFFS, "handoffs" }, { KNG_EMPTY, "empty" },
		{ KNG_TABLE_FULL, "table_full" }, { KNG_LEAKED, "leaked" },
		{ KNG_INLINED, "inlined" }, { KNG_KEPT, "kept" }, { KNG_RACED, "raced" },
		{ KNG_NESTED, "nested" }, { KNG_ADOPTED, "adopted" }, { KNG_GROWN, "grown" },
		{ KNG_TRIMMED, "trimmed" }, { KNG_REFUSED, "refused" },
		{ KNG_REFUSED_NMI, "refused_nmi" }, { KNG_BYPASSED, "bypassed" },
		{ KNG_BAD_CONTEXT, "bad_context" },
	};
	struct seq_file small = { text, 64 };
	unsigned int i, good = 0, lines = 0;
	char line[256], value[64];

	tap_start(argc, argv);
	read_all();
	tap_ok(has("version: 1.2.3\n") & has("state: active\n") & has("hook: ftrace\n") &
		       has("defer: nmi\n") & has("door_teardown: as it is\n") &
		       has("map_watch: complete\n") & has("door_release_x: both\n") &
		       has("storage_delete: left alone\n") & has("on_empty: leak\n"),
	       "what it does");
	tap_ok(has("jobs_total: 101\n") & has("jobs_idle: 102\n") & has("pending: 103\n") &
	       has("peak_pending: 104\n") & has("longest_run: 105\n") & has("reserve: capacity\n") &
	       has("wanted: 106\n") & has("missed: 107\n") & has("delay_max_us: 108\n") &
	       has("run_of_x: 109\n"), "what there is");
	for (i = 0; i < KNG_NR_COUNTERS; i++) {
		snprintf(line, sizeof(line), "\n%s: %u\n", names[i].name, 1000 + names[i].counter);
		good += has(line);
	}
	tap_ok(good == KNG_NR_COUNTERS && good == ARRAY_SIZE(names), "each counter (%u)", good);
	ftrace = false;
	irqsoff = true;
	kng_params.on_empty = KNG_INLINE;
	read_all();
	tap_ok(has("hook: kprobe\n") & has("defer: irqsoff\n") & has("on_empty: inline\n"),
	       "or else");
	stats_show(&small, NULL);
	tap_ok(small.count == -1, "what does not fit is asked for again");

	kng_stats_init();
	tap_ok(!strcmp(debugfs,
		       "kptr_nmi_guard/stats 400 stats\nkptr_nmi_guard/maps 400 kng_maps\n"),
	       "debugfs: two files, for root");
	read_all();
	for (i = 0; text[i]; i++)
		lines += text[i] == '\n';
	tap_ok(files == lines && nr_values == lines && !bad_files,
	       "sysfs: a file for each line, for everybody (%u)", files);
	for (good = i = 0; i < nr_values; i++) {
		ssize_t len = value_show(&stats_dir, &values[i], value);

		snprintf(line, sizeof(line), "%s: %s", values[i].attr.name, value);
		good += len == (ssize_t)strlen(value) && has(line);
	}
	tap_ok(good == lines, "each with its value (%u)", good);
	no_memory = true;
	tap_ok(value_show(&stats_dir, &values[0], value) == -ENOMEM,
	       "without memory there is none");
	no_memory = false;
	struct kobj_attribute none = { { "on", 0444 }, value_show };

	tap_ok(value_show(&stats_dir, &none, value) == -ENODATA,
	       "a name that begins like another has none");
	kng_stats_exit();
	tap_ok(!debugfs[0] && !dirs && !files && !live, "all of it goes (%d)", live);
	fail_file = 5;
	kng_stats_init();
	tap_ok(files == 4, "where a file can't be made, those before it are there (%u)", files);
	kng_stats_exit();
	tap_ok(!dirs && !files && !live, "and go (%d)", live);
	no_memory = true;
	kng_stats_init();
	no_memory = false;
	kng_stats_exit();
	tap_ok(!files && !live, "without memory there are none");
	return tap_done();
}
