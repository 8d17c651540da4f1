// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts what one call costs, for scripts/bench: the time stamp counter is read
 * around each call. Under QEMU's -icount shift=0 it counts instructions.
 *
 * In /sys/kernel/debug/kng_bench/:
 *
 *   map      write a file descriptor: the map that the calls are about (-1: none)
 *   prog     the same for a program of type syscall
 *   symbol   write a name: the function that "call" calls, with a task
 *   peer     write "KIND FUNCTION": hook FUNCTION with an empty handler of this
 *	      KIND (peers[] in bench_peer.c); "none" takes the hook out
 *   run      write "WHAT WHERE COUNT [last]": see whats[] and wheres[]
 *   nmis     how many NMIs were handled
 *   result   "min MIN mean MEAN drain DRAIN" of the last run; DRAIN is from the
 *	      moment that interrupts went on to the first instruction afterwards
 *
 * The references that the calls drop are a task's, which lives on: its count is
 * set to what a case wants (one left, or plenty) and set right before anybody
 * looks. After each run they must all have come back.
 */
#include <linux/bpf.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>

#include "bench.h"
#include "compat.h"
#include "files.h"
#include "nmi_send.h"

#define PLENTY		(1 << 20)
#define VALUE_MAX	256
#define DRAIN_MS	5000

static struct bpf_map *map;
static struct bpf_prog *prog;
static void (*symbol)(void *arg);
static struct task_struct *victim;
static unsigned int given;	/* references, in this run */
static u32 key;
static u64 value[VALUE_MAX / sizeof(u64)];

/* One thing that is measured. */
struct what {
	const char *name;
	void (*prepare)(void);	/* not measured */
	void (*call)(void);
	bool needs_map, needs_prog, needs_symbol;
};

struct run {
	const struct what *what;
	unsigned int count;
	bool last;
	u64 min, sum, drain;
};

static struct run run;
static DEFINE_MUTEX(run_lock);
static struct dentry *dir;

static void nothing(void)
{
}

static void call_symbol(void)
{
	symbol(victim);
}

static void give_one(void)
{
	given++;
}

static void call_update(void)
{
	map->ops->map_update_elem(map, &key, value, BPF_ANY);
}

static void call_delete(void)
{
	map->ops->map_delete_elem(map, &key);
}

static void fill(void)
{
	const struct btf_record *rec = map->record;
	void *elem = map->ops->map_lookup_elem(map, &key);
	u32 i;

	if (!elem || IS_ERR_OR_NULL(rec))
		return;
	for (i = 0; i < rec->cnt; i++) {
		if (rec->fields[i].type != BPF_KPTR_REF || !rec->fields[i].kptr.dtor)
			continue;
		WRITE_ONCE(*(void **)(elem + rec->fields[i].offset), victim);
		given++;
	}
}

static void insert_filled(void)
{
	call_update();
	fill();
}

static void call_prog(void)
{
	prog->bpf_func(NULL, prog->insnsi);
}

static const struct what whats[] = {
	{ "empty", nothing, nothing },
	{ "symbol", nothing, call_symbol, .needs_symbol = true },
	{ "release", give_one, call_symbol, .needs_symbol = true },
	{ "update", nothing, call_update, .needs_map = true },
	{ "update-filled", fill, call_update, .needs_map = true },
	{ "delete", call_update, call_delete, .needs_map = true },
	{ "delete-filled", insert_filled, call_delete, .needs_map = true },
	{ "prog", nothing, call_prog, .needs_prog = true },
	{ "prog-filled", fill, call_prog, .needs_prog = true, .needs_map = true },
	{ "prog-inserted", insert_filled, call_prog, .needs_prog = true, .needs_map = true },
	{ "pool-kng", nothing, bench_pool_kng },
	{ "pool-llist", nothing, bench_pool_llist },
	{ "pool-llist-lock", nothing, bench_pool_llist_lock },
	{ "pool-objpool", nothing, bench_pool_objpool },
	{ "pool-freelist", nothing, bench_pool_freelist },
};

/* Context: preemption off. */
static noinline void measure(void)
{
	unsigned int i;
	u64 start, took;

	run.min = U64_MAX;
	run.sum = 0;
	for (i = 0; i < run.count; i++) {
		run.what->prepare();
		if (run.last)
			refcount_set(&victim->rcu_users, 1);
		start = rdtsc();
		run.what->call();
		took = rdtsc() - start;
		run.min = min(run.min, took);
		run.sum += took;
	}
}

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	if (nmi_claim(type, regs) != NMI_HANDLED)
		return NMI_DONE;
	measure();
	return NMI_HANDLED;
}

static bool came_back(void)
{
	return refcount_read(&victim->rcu_users) == PLENTY;
}

/* What is pending by now runs here, or in a worker that follows. */
static void interrupts_on(void)
{
	u64 start;

	refcount_set(&victim->rcu_users,
		     run.last ? PLENTY + given : refcount_read(&victim->rcu_users) + given);
	start = rdtsc();
	local_irq_enable();
	asm volatile("nop; nop; nop" ::: "memory");
	run.drain = rdtsc() - start;
}

static int from_task(void)
{
	preempt_disable();
	measure();
	preempt_enable();
	return 0;
}

static int from_irqsoff(void)
{
	local_irq_disable();
	measure();
	interrupts_on();
	return 0;
}

static int from_nmi(void)
{
	int cpu, err = 0;

	local_irq_disable();
	cpu = smp_processor_id();
	if (!nmi_send(cpu) || !nmi_wait(cpu, 10000000))
		err = -ETIMEDOUT;
	interrupts_on();
	return err;
}

static const struct where {
	const char *name;
	int (*go)(void);
} wheres[] = {
	{ "task", from_task },
	{ "irqsoff", from_irqsoff },
	{ "nmi", from_nmi },
};

static int go(const struct where *where)
{
	int err, ms;

	given = 0;
	/* Lent until they are counted: what is dropped at once comes off this. */
	refcount_set(&victim->rcu_users, PLENTY);
	err = where->go();
	if (where->go == from_task)
		refcount_add(given, &victim->rcu_users);
	for (ms = 0; !came_back() && ms < DRAIN_MS; ms++)
		usleep_range(1000, 2000);
	if (!came_back()) {
		pr_err("kng_bench: %s %s: %u of %u references did not come back\n",
		       run.what->name, where->name,
		       refcount_read(&victim->rcu_users) - PLENTY, given);
		err = err ?: -EIO;
	}
	return err;
}

static const struct what *find_what(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(whats); i++) {
		const struct what *what = &whats[i];

		if (strcmp(what->name, name))
			continue;
		if ((what->needs_map && (!map || map->value_size > VALUE_MAX)) ||
		    (what->needs_prog && !prog) || (what->needs_symbol && !symbol))
			return NULL;
		return what;
	}
	return NULL;
}

static ssize_t run_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	char buf[80], what[32], where[16], last[8] = "";
	unsigned int i;
	int err = -EINVAL;

	if (len >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, len))
		return -EFAULT;
	buf[len] = '\0';

	mutex_lock(&run_lock);
	memset(&run, 0, sizeof(run));
	if (sscanf(buf, "%31s %15s %u %7s", what, where, &run.count, last) < 3 || !run.count)
		goto out;
	run.last = !strcmp(last, "last");
	run.what = find_what(what);
	if (!run.what)
		goto out;
	for (i = 0; i < ARRAY_SIZE(wheres); i++) {
		if (!strcmp(wheres[i].name, where))
			err = go(&wheres[i]);
	}
out:
	mutex_unlock(&run_lock);
	return err ? err : len;
}
DEFINE_WRITE_ATTRIBUTE(run);

static int result_show(struct seq_file *m, void *unused)
{
	mutex_lock(&run_lock);
	if (run.count)
		seq_printf(m, "min %llu mean %llu drain %llu\n", run.min,
			   div_u64(run.sum, run.count), run.drain);
	mutex_unlock(&run_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static void put_map(void)
{
	if (map)
		bpf_map_put(map);
	map = NULL;
}

static ssize_t map_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	struct bpf_map *new;
	int fd, err = kstrtoint_from_user(ubuf, len, 0, &fd);

	if (err)
		return err;
	new = fd < 0 ? NULL : bpf_map_get(fd);
	if (IS_ERR(new))
		return PTR_ERR(new);
	mutex_lock(&run_lock);
	put_map();
	map = new;
	mutex_unlock(&run_lock);
	return len;
}
DEFINE_WRITE_ATTRIBUTE(map);

static void put_prog(void)
{
	if (prog)
		bpf_prog_put(prog);
	prog = NULL;
}

static ssize_t prog_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	struct bpf_prog *new;
	int fd, err = kstrtoint_from_user(ubuf, len, 0, &fd);

	if (err)
		return err;
	new = fd < 0 ? NULL : bpf_prog_get_type_dev(fd, BPF_PROG_TYPE_SYSCALL, false);
	if (IS_ERR(new))
		return PTR_ERR(new);
	mutex_lock(&run_lock);
	put_prog();
	prog = new;
	mutex_unlock(&run_lock);
	return len;
}
DEFINE_WRITE_ATTRIBUTE(prog);

static ssize_t symbol_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	char name[64];
	unsigned long address;
	ssize_t got = strncpy_from_user(name, ubuf, min(len, sizeof(name) - 1));

	if (got < 0)
		return got;
	name[got] = '\0';
	address = bench_address(strim(name));
	if (!address)
		return -ENOENT;
	mutex_lock(&run_lock);
	symbol = (void (*)(void *))address;
	mutex_unlock(&run_lock);
	return len;
}
DEFINE_WRITE_ATTRIBUTE(symbol);

static ssize_t peer_write(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	char buf[80], kind[16], function[64] = "";
	int err;

	if (len >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, len))
		return -EFAULT;
	buf[len] = '\0';
	if (sscanf(buf, "%15s %63s", kind, function) < 1)
		return -EINVAL;
	mutex_lock(&run_lock);
	err = bench_peer(kind, function);
	mutex_unlock(&run_lock);
	return err ? err : len;
}
DEFINE_WRITE_ATTRIBUTE(peer);

/* A task that does nothing, so that nobody else counts its references. */
static int idle(void *unused)
{
	while (!kthread_should_stop())
		schedule_timeout_idle(HZ);
	return 0;
}

static unsigned int refs_before;

static int __init bench_init(void)
{
	int err;

	victim = kthread_run(idle, NULL, "kng_bench");
	if (IS_ERR(victim))
		return PTR_ERR(victim);
	get_task_struct(victim);
	refs_before = refcount_read(&victim->rcu_users);
	err = bench_pools_init();
	if (!err)
		err = register_nmi_handler(NMI_LOCAL, on_nmi, 0, "kng_bench");
	if (err) {
		bench_pools_exit();
		kthread_stop_put(victim);
		return err;
	}
	dir = debugfs_create_dir("kng_bench", NULL);
	debugfs_create_file("map", 0200, dir, NULL, &map_fops);
	debugfs_create_file("prog", 0200, dir, NULL, &prog_fops);
	debugfs_create_file("symbol", 0200, dir, NULL, &symbol_fops);
	debugfs_create_file("peer", 0200, dir, NULL, &peer_fops);
	debugfs_create_file("run", 0200, dir, NULL, &run_fops);
	debugfs_create_file("result", 0400, dir, NULL, &result_fops);
	debugfs_create_file("nmis", 0400, dir, &nmi_handled, &count_fops);
	return 0;
}

static void __exit bench_exit(void)
{
	debugfs_remove_recursive(dir);
	nmi_drain();
	unregister_nmi_handler(NMI_LOCAL, "kng_bench");
	bench_peer("none", "");
	put_map();
	put_prog();
	bench_pools_exit();
	refcount_set(&victim->rcu_users, refs_before);
	kthread_stop_put(victim);
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test only: counts what one call costs");
IMPORT_NS_BPF_INTERNAL;
