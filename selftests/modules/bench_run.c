// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kng_bench measures, and where. The references that the calls drop are a task's,
 * which lives on: its count is set to what a case wants (one left, or plenty) and set
 * right before anybody looks. After each run they must all have come back.
 */
#include <linux/bpf.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched/task.h>

#include "bench.h"
#include "nmi_send.h"

#define PLENTY		(1 << 20)
#define VALUE_MAX	256
#define DRAIN_MS	5000

struct bpf_map *bench_map;
struct bpf_prog *bench_prog;
void (*bench_symbol)(void *arg);

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

static struct {
	const struct what *what;
	unsigned int count;
	bool last;
	u64 min, sum, drain;
} run;

static void nothing(void)
{
}

static void call_symbol(void)
{
	bench_symbol(victim);
}

static void give_one(void)
{
	given++;
}

static void call_update(void)
{
	bench_map->ops->map_update_elem(bench_map, &key, value, BPF_ANY);
}

static void call_delete(void)
{
	bench_map->ops->map_delete_elem(bench_map, &key);
}

static void fill(void)
{
	const struct btf_record *rec = bench_map->record;
	void *elem = bench_map->ops->map_lookup_elem(bench_map, &key);
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
	bench_prog->bpf_func(NULL, bench_prog->insnsi);
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
		if ((what->needs_map && (!bench_map || bench_map->value_size > VALUE_MAX)) ||
		    (what->needs_prog && !bench_prog) || (what->needs_symbol && !bench_symbol))
			return NULL;
		return what;
	}
	return NULL;
}

int bench_run(const char *what, const char *where, unsigned int count, bool last)
{
	unsigned int i;

	memset(&run, 0, sizeof(run));
	run.what = find_what(what);
	run.last = last;
	if (!run.what || !count)
		return -EINVAL;
	run.count = count;
	for (i = 0; i < ARRAY_SIZE(wheres); i++) {
		if (!strcmp(wheres[i].name, where))
			return go(&wheres[i]);
	}
	return -EINVAL;
}

bool bench_result(struct bench_result *result)
{
	if (!run.count)
		return false;
	result->min = run.min;
	result->mean = div_u64(run.sum, run.count);
	result->drain = run.drain;
	return true;
}

/* A task that does nothing, so that nobody else counts its references. */
static int idle(void *unused)
{
	while (!kthread_should_stop())
		schedule_timeout_idle(HZ);
	return 0;
}

static unsigned int refs_before;

int bench_run_init(void)
{
	int err;

	victim = kthread_run(idle, NULL, "kng_bench");
	if (IS_ERR(victim))
		return PTR_ERR(victim);
	get_task_struct(victim);
	refs_before = refcount_read(&victim->rcu_users);
	err = register_nmi_handler(NMI_LOCAL, on_nmi, 0, "kng_bench");
	if (err)
		kthread_stop_put(victim);
	return err;
}

void bench_run_exit(void)
{
	nmi_drain();
	unregister_nmi_handler(NMI_LOCAL, "kng_bench");
	refcount_set(&victim->rcu_users, refs_before);
	kthread_stop_put(victim);
}

atomic64_t *bench_nmis(void)
{
	return &nmi_handled;
}
