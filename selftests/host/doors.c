// SPDX-License-Identifier: GPL-2.0-only
/*
 * Both doors, from the hooks to the jobs: module/entry.c, hook.c, kprobe.c, types.c, put.c,
 * teardown.c, release.c, learn.c, watch.c, storage.c and what they use of maps, themselves,
 * on a kernel of a few functions (doors.h). Here it is one thread; contexts are a
 * variable. What a job does is the test's: it has so many of them.
 */
#include "doors.h"

/* The headers of files that are not here, and what stands for them */
#define KNG_TRACE_H
#define KNG_PROBE_H
#define KNG_LOOKUP_H
#define KNG_OFFLOAD_H
#define KNG_EXACT_H
#define KNG_FIRE_H
#define KNG_RESERVE_H
#define KNG_POOL_H
#define KNG_ADOPT_H
#define KNG_DTOR_BITS	8
#define trace_map_seen(id, charge)	((void)(id), (void)(charge))
#define trace_map_gone(id, charge)	((void)(id), (void)(charge))

struct kng_job {
	u32 dtor;
	void *obj;
};

static btf_dtor_kfunc_t kng_probe(const char *type);
static int kng_lookup(const char *function, unsigned long *address);
static struct kng_job *kng_offload_prepare(int dtor, struct module *owner);
static void kng_offload_queue(struct kng_job *job, void *obj);
static void kng_offload_cancel(struct kng_job *job);
static void kng_exact_note_removed(const struct btf_record *rec, unsigned int nr);
static int kng_adopt_maps(void);
static int kng_fire_map(const struct btf_record **record);
static int kng_fire_teardown(bool by_update);
static bool adopting;
static unsigned int changes;
static u32 own_map;

#define kng_lookup_exists(function)	(!!address_of(function))
#define kng_lookup_init_done()		((void)0)
#define kng_adopting()			adopting
#define kng_reserve_map_changed()	(changes++)
#define kng_probe_owns(id)		((id) == own_map)

#include "../../module/params.h"
struct kng_params kng_params;
#include "../../module/count.h"
struct kng_counts kng_counts;
union kng_depth kng_entry_depth;

#include "../../module/entry.c"
#include "../../module/kprobe.c"
#include "../../module/hook.c"
#include "../../module/put.c"
#include "../../module/types.c"
#include "../../module/unwatched.c"
#include "../../module/charge.c"
#include "../../module/maps.c"
#define module_event	dtor_module_event
#define module_nb	dtor_module_nb
#include "../../module/dtor.c"
#undef module_event
#undef module_nb
#define defer		teardown_defer
#include "../../module/teardown.c"
#undef defer
#define group		release_group
#define no_job		release_no_job
#include "../../module/release.c"
#undef group
#undef no_job
#include "../../module/learn.c"
#define report_unhooked	report_undeleted
#define called_in_nmi	deleted_in_nmi
#define group		storage_group
#include "../../module/storage.c"
#undef group
#include "../../module/needs.c"
#include "../../module/watch.c"

/* The kernel's own functions */

static unsigned int in_nmi_nr, outside_nr;	/* puts that were the last */

static void last_put(void)
{
	if (nmi)
		in_nmi_nr++;
	else
		outside_nr++;
}

static void put_task(struct task_struct *p)
{
	if (--p->rcu_users.refs.counter)
		return;
	p->ended++;
	last_put();
}

static void bpf_task_release(struct task_struct *p)
{
	TRACED_VOID(bpf_task_release, p, 0);
	put_task(p);
}

static void bpf_task_release_dtor(void *p)
{
	TRACED_VOID(bpf_task_release_dtor, p, 0);
	put_task(p);
}

static void put_cgroup(struct cgroup *cgrp)
{
	struct percpu_ref *ref = &cgrp->self.refcnt;

	if (cgrp->self.flags & CSS_NO_REF)
		return;
	ref->count--;
	if (!ref->atomic || ref->count)
		return;
	cgrp->ended++;
	last_put();
}

static void bpf_cgroup_release(struct cgroup *cgrp)
{
	TRACED_VOID(bpf_cgroup_release, cgrp, 0);
	put_cgroup(cgrp);
}

static void bpf_cgroup_release_dtor(void *cgrp)
{
	TRACED_VOID(bpf_cgroup_release_dtor, cgrp, 0);
	put_cgroup(cgrp);
}

/* Of newer kernels: a type without destructor, whose put the guard copies */
static bool has_mem_cgroup;
static struct mem_cgroup mem_cgroup;

static void bpf_put_mem_cgroup(struct mem_cgroup *memcg)
{
	TRACED_VOID(bpf_put_mem_cgroup, memcg, 0);
	memcg->css.refcnt.count--;
}

static unsigned int masks, contexts, foreign;

static void bpf_cpumask_release_dtor(void *mask)
{
	TRACED_VOID(bpf_cpumask_release_dtor, mask, 0);
	masks++;
}

static void bpf_crypto_ctx_release(void *ctx)
{
	TRACED_VOID(bpf_crypto_ctx_release, ctx, 0);
	contexts++;
	last_put();
}

static void bpf_crypto_ctx_release_dtor(void *ctx)
{
	TRACED_VOID(bpf_crypto_ctx_release_dtor, ctx, 0);
	bpf_crypto_ctx_release(ctx);
}

static void foreign_dtor(void *obj)
{
	TRACED_VOID(foreign_dtor, obj, 0);
	foreign++;
	last_put();
}

/* More than a table has room for */
#define LATER(n)				\
static void later_dtor_##n(void *obj)		\
{						\
	TRACED_VOID(later_dtor_##n, obj, 0);	\
	foreign++;				\
}

LATER(0) LATER(1) LATER(2) LATER(3) LATER(4) LATER(5) LATER(6) LATER(7) LATER(8)

static const btf_dtor_kfunc_t later_dtors[] = {
	later_dtor_0, later_dtor_1, later_dtor_2, later_dtor_3, later_dtor_4, later_dtor_5,
	later_dtor_6, later_dtor_7, later_dtor_8,
};

static unsigned int others_freed;	/* fields that are no kptrs */
static void (*between)(void);		/* another CPU, before the kernel's own exchange */

static void bpf_obj_free_fields(const struct btf_record *rec, void *obj)
{
	u32 i;

	TRACED_VOID(bpf_obj_free_fields, rec, obj);
	if (between)
		between();
	for (i = 0; !IS_ERR_OR_NULL(rec) && i < rec->cnt; i++) {
		const struct btf_field *field = &rec->fields[i];
		void **slot = obj + field->offset, *old;

		if (field->type != BPF_KPTR_REF) {
			others_freed++;
			continue;
		}
		old = xchg(slot, NULL);
		if (old && field->kptr.dtor)
			field->kptr.dtor(old);
		else
			others_freed += !!old;
	}
}

static int security_bpf_map(struct bpf_map *map, unsigned int mode)
{
	TRACED(security_bpf_map, map, mode, 0);
	return 0;
}

static void btf_record_free(struct btf_record *rec)
{
	TRACED_VOID(btf_record_free, rec, 0);
}

static unsigned int deletes;

static u64 bpf_task_storage_delete(u64 map, u64 owner)
{
	TRACED(bpf_task_storage_delete, map, owner, stub_result);
	return deletes++, 0;
}

static u64 bpf_task_storage_delete_recur(u64 map, u64 owner)
{
	TRACED(bpf_task_storage_delete_recur, map, owner, stub_result);
	return deletes++, 0;
}

static u64 bpf_cgrp_storage_delete(u64 map, u64 owner)
{
	TRACED(bpf_cgrp_storage_delete, map, owner, stub_result);
	return deletes++, 0;
}

static void bpf_obj_cancel_fields(void)
{
	others_freed += 0;
}

static bool cancels;	/* the kernel has bpf_obj_cancel_fields() */

#define AT(function)	{ #function, (unsigned long)(function) }
static const struct {
	const char *name;
	unsigned long address;
} functions[] = {
	AT(bpf_task_release), AT(bpf_task_release_dtor), AT(bpf_cgroup_release),
	AT(bpf_cgroup_release_dtor), AT(bpf_cpumask_release_dtor), AT(bpf_crypto_ctx_release),
	AT(bpf_crypto_ctx_release_dtor), AT(bpf_obj_free_fields), AT(security_bpf_map),
	AT(btf_record_free), AT(bpf_task_storage_delete), AT(bpf_task_storage_delete_recur),
	AT(bpf_cgrp_storage_delete),
};

static unsigned long address_of(const char *function)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(functions); i++)
		if (!strcmp(functions[i].name, function))
			return functions[i].address;
	if (has_mem_cgroup && !strcmp(function, "bpf_put_mem_cgroup"))
		return (unsigned long)bpf_put_mem_cgroup;
	if (cancels && !strcmp(function, "bpf_obj_cancel_fields"))
		return (unsigned long)bpf_obj_cancel_fields;
	return 0;
}

static int kng_lookup(const char *function, unsigned long *address)
{
	*address = address_of(function);
	return *address ? 0 : -ENOENT;
}

static int probe_error;

static btf_dtor_kfunc_t kng_probe(const char *type)
{
	char function[64];

	if (probe_error)
		return ERR_PTR(probe_error);
	snprintf(function, sizeof(function), "bpf_%s_release_dtor",
		 !strncmp(type, "bpf_", 4)    ? type + 4 :
		 !strcmp(type, "task_struct") ? "task" :
						type);
	return (btf_dtor_kfunc_t)address_of(function);
}

/* Jobs */

#define MAX_JOBS	64
static struct kng_job jobs[MAX_JOBS];
static unsigned int jobs_left = MAX_JOBS, nr_queued;
static bool jobs_used[MAX_JOBS];
static struct kng_job *queued[MAX_JOBS];
static void (*with_job)(void);		/* what comes right after a job was taken */

static struct kng_job *kng_offload_prepare(int dtor, struct module *owner)
{
	struct kng_job *job = jobs;

	if (!jobs_left) {
		kng_count(KNG_EMPTY);
		return NULL;
	}
	if (dtor < 0 || (owner && !try_module_get(owner))) {
		kng_count(KNG_TABLE_FULL);
		return NULL;
	}
	while (jobs_used[job - jobs])
		job++;
	jobs_used[job - jobs] = true;
	jobs_left--;
	job->dtor = dtor;
	if (with_job)
		with_job();
	return job;
}

static void job_back(struct kng_job *job)
{
	jobs_used[job - jobs] = false;
	jobs_left++;
}

static void kng_offload_cancel(struct kng_job *job)
{
	kng_dtor_put(job->dtor);
	job_back(job);
}

static void kng_offload_queue(struct kng_job *job, void *obj)
{
	kng_count(KNG_TAKEN);
	job->obj = obj;
	queued[nr_queued++] = job;
}

/* The irq_work: with interrupts off. How many it ran */
static unsigned int irq_work(void)
{
	bool were_off = irqs_off;
	unsigned int nr = 0;

	irqs_off = true;
	/* Jobs that make new ones would go on for ever. */
	while (nr_queued && nr < 1000) {
		struct kng_job *job = queued[--nr_queued];

		kng_dtor_call(job->dtor, job->obj);
		job_back(job);
		nr++;
	}
	irqs_off = were_off;
	return nr;
}

static s64 removed;

static void kng_exact_note_removed(const struct btf_record *rec, unsigned int nr)
{
	(void)rec;
	removed += nr;
}

/* Maps that are older than the guard */
static struct bpf_map *older[4];
static int adopt_error;

static int kng_adopt_maps(void)
{
	unsigned int i;

	adopting = true;
	for (i = 0; i < ARRAY_SIZE(older); i++)
		if (older[i])
			security_bpf_map(older[i], 0);
	adopting = false;
	return adopt_error;
}

/* What proves that hooks are called: a map comes, and goes. */
static int fire_error, fire_teardown_error;
static bool nobody_sees_new, nobody_sees_ends;

static int kng_fire_map(const struct btf_record **record)
{
	static struct btf_record trial_rec;
	static struct bpf_map trial = { &trial_rec, 1, 1, BPF_MAP_TYPE_ARRAY, "trial" };

	if (fire_error)
		return fire_error;
	if (record)
		*record = &trial_rec;
	if (!nobody_sees_new)
		security_bpf_map(&trial, 0);
	if (!nobody_sees_ends)
		btf_record_free(&trial_rec);
	return record && *record ? -ETIME : 0;
}

static int kng_fire_teardown(bool by_update)
{
	(void)by_update;
	return fire_teardown_error;
}

/* What was counted since the last look; all others have to be 0. */
static struct kng_counts counted_before;

struct counted {
	enum kng_counter what;
	u64 nr;
};

#define COUNTED(...)	counted((const struct counted[]){ __VA_ARGS__, { KNG_NR_COUNTERS, 0 } })
#define NOTHING		COUNTED({ KNG_BAD_CONTEXT, 0 })
static const char * const names[] = KNG_COUNTER_NAMES;

static bool counted(const struct counted *c)
{
	u64 want[KNG_NR_COUNTERS] = {};
	bool good = true;
	int i;

	for (; c->what != KNG_NR_COUNTERS; c++)
		want[c->what] = c->nr;
	for (i = 0; i < KNG_NR_COUNTERS; i++) {
		s64 nr = kng_counts.nr[i] - counted_before.nr[i];

		if (nr == (s64)want[i])
			continue;
		tap_diag("%s: %lld, not %lld", names[i], (long long)nr, (long long)want[i]);
		good = false;
	}
	counted_before = kng_counts;
	return good;
}

/* Is the kernel as it was? */
static bool kernel_is_clean(void)
{
	unsigned int i, users = 0;

	for (i = 0; i < ARRAY_SIZE(functions); i++)
		users += users_of(functions[i].address);
	users += users_of((unsigned long)foreign_dtor);
	if (ftrace_misused)
		tap_diag("%s", ftrace_misused);
	return !users && !ftrace_list && !filters && !ftrace_misused && !locked && !reading &&
	       !kng_types_lock.held && !started_lock.held && !kng_entry_depth.word &&
	       jobs_left == MAX_JOBS;
}

static void params(enum kng_teardown_mode teardown, enum kng_on_empty on_empty)
{
	kng_params = (struct kng_params) {
		.teardown = teardown, .on_empty = on_empty, .max_jobs = 1 << 20, .floor = 1024,
		.defer = KNG_DEFER_NMI, .refuse_delete = true,
	};
	counted_before = kng_counts;
	nr_said = 0;
	said[0] = 0;
}

/* As main.c does. Returns what open_doors() would. */
static int load(void)
{
	int guarded, ret;

	kng_dtor_init();
	kng_learn_init();
	ret = kng_hook_init();
	if (ret)
		return ret;
	ret = kng_watch_init();
	if (ret && ret != -EOPNOTSUPP)
		return ret;
	guarded = kng_release_init();
	if (guarded < 0) {
		kng_watch_exit();
		return guarded;
	}
	ret = kng_watch_start(guarded && !kng_params.exact ? kng_params.teardown :
			      KNG_TEARDOWN_ALWAYS);
	if (!ret || (guarded && ret != -ENOMEM && ret != -EINTR))
		ret = kng_storage_init();
	if (!ret)
		return 0;
	kng_storage_exit();
	kng_watch_exit();
	kng_release_exit();
	return ret;
}

/* Undoes kng_entry_defer_irqsoff(), as a module that is loaded anew. */
static void defer_nmi_only(void)
{
	kng_entry_irqsoff = false;
	one_outside_nmi = NULL;
	member_outside_nmi = NULL;
}

static void everything_exits(void)
{
	int i;

	kng_storage_exit();
	kng_watch_exit();
	kng_release_exit();
	kng_learn_exit();
	irq_work();
	kng_maps_exit();
	memset(table, 0, sizeof(table));
	nr_watched = nr_floored = charged = floors = 0;
	uncovered = (struct list_head) { &uncovered, &uncovered };
	kng_dtor_exit();
	memset(kng_dtors, 0, sizeof(kng_dtors));
	for (i = 0; i < KNG_NR_TYPES; i++)
		kng_types[i].dtor = NULL;
	door_wanted = door_failed = found_exchangeable = irqsoff_wanted = false;
	defer_nmi_only();
	closed_state = "closed (no map needs it)";
}

static void unload(const char *what)
{
	unsigned int before = grace_periods;
	bool waits = fd_hook.hooked && kng_hook_uses_ftrace();

	everything_exits();
	if (waits && grace_periods == before)
		ftrace_misused = "nobody waits for tasks in the map watch";
	tap_ok(kernel_is_clean(), "%s: the kernel is as it was", what);
}

/* Objects, and values with a slot or two for them */

static struct task_struct task = { .rcu_users = { { 1 } } };
static struct cgroup cgroup = { .self.refcnt = { 1, true } };
static int mask, context, other_object;

static struct value {
	void *slot[2];
} value;

#define KPTR(d)		{ .type = BPF_KPTR_REF, .kptr.dtor = d }
static struct btf_record task_rec = { 1, BPF_KPTR_REF, { KPTR(bpf_task_release_dtor) } };
static struct btf_record both_rec = { 2, BPF_KPTR_REF, {
	KPTR(bpf_task_release_dtor), { 8, BPF_KPTR_REF, { bpf_cgroup_release_dtor } } } };
static struct btf_record object_rec = { 2, BPF_KPTR_REF, {
	KPTR(bpf_task_release_dtor), { 8, BPF_KPTR_REF, { NULL } } } };
static struct btf_record timer_rec = { 1, BPF_TIMER, { { 0, BPF_TIMER } } };
static struct module foreign_module = { .name = "foreign" };
static struct btf_record foreign_rec = { 1, BPF_KPTR_REF, {
	{ 0, BPF_KPTR_REF, { foreign_dtor, &foreign_module } } } };

static struct bpf_map array = { &task_rec, 11, 10, BPF_MAP_TYPE_ARRAY, "array" };
static struct bpf_map hash = { &task_rec, 12, 10, BPF_MAP_TYPE_HASH, "hash" };
static struct bpf_map pairs_map = { &both_rec, 13, 10, BPF_MAP_TYPE_ARRAY, "pairs" };
static struct bpf_map objects = { &object_rec, 14, 10, BPF_MAP_TYPE_ARRAY, "objects" };
static struct bpf_map foreign_map = { &foreign_rec, 15, 10, BPF_MAP_TYPE_ARRAY, "foreign" };
static struct bpf_map timers = { &timer_rec, 16, 10, BPF_MAP_TYPE_ARRAY, "timers" };

static void begin(void)
{
	task = (struct task_struct) { { { 1 } } };
	cgroup = (struct cgroup) { .self.refcnt = { 1, true } };
	in_nmi_nr = outside_nr = others_freed = masks = contexts = foreign = 0;
	removed = 0;
}

/* What was a job's before is the same now. */
static void in_an_nmi(void (*what)(void))
{
	nmi = true;
	nmi_levels++;
	what();
	nmi_levels--;
	nmi = false;
}

static void all_releases(void)
{
	bpf_task_release(&task);
	bpf_cgroup_release(&cgroup);
	bpf_crypto_ctx_release(&context);
}

static void all_dtors(void)
{
	bpf_task_release_dtor(&task);
	bpf_cgroup_release_dtor(&cgroup);
	bpf_crypto_ctx_release_dtor(&context);
	bpf_cpumask_release_dtor(&mask);
}

static void test_release(void)
{
	struct ftrace_ops *o;
	unsigned int i, users = 0;

	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	tap_ok(!load() && kng_hook_uses_ftrace(), "it loads");
	for (i = 0; i < 7; i++)
		users += users_of(functions[i].address) == 1;
	tap_ok(users == 7 && !users_of((unsigned long)bpf_obj_free_fields),
	       "all release functions and destructors are hooked, once; the teardown door is shut");
	for (i = 0, o = ftrace_list; o; o = o->next)
		i += !(o->flags & FTRACE_OPS_FL_PERMANENT) ||
		     o->flags & (FTRACE_OPS_FL_RECURSION | FTRACE_OPS_FL_SAVE_REGS);
	tap_ok(!i, "for good, and without what costs");
	kng_types_show(NULL);
	tap_ok(strstr(shown, "door_release_task_struct: destructor and release\n") &&
	       strstr(shown, "door_release_cgroup: destructor and release\n") &&
	       strstr(shown, "door_release_bpf_cpumask: destructor\n") &&
	       strstr(shown, "door_release_bpf_crypto_ctx: destructor and release\n") &&
	       strstr(shown, "door_release_mem_cgroup: no such type\n"), "the stats say so");
	nr_shown = shown[0] = 0;
	kng_types_show_missing(NULL);
	tap_ok(!shown[0], "and that nothing is missing: %s", shown);

	begin();
	all_releases();
	tap_ok(task.ended == 1 && cgroup.ended == 1 && contexts == 1 && !nr_queued && NOTHING,
	       "outside NMI releases run as ever, and nothing is counted");
	begin();
	in_an_nmi(all_releases);
	tap_ok(nr_queued == 3 && !task.ended && !cgroup.ended && !contexts &&
	       COUNTED({ KNG_SEEN_NMI, 3 }, { KNG_TAKEN, 3 }, { KNG_TAKEN_RELEASE, 3 }),
	       "in NMI each waits for its job");
	tap_ok(irq_work() == 3 && task.ended == 1 && cgroup.ended == 1 && contexts == 1 && NOTHING,
	       "which runs it, once");
	begin();
	in_an_nmi(all_dtors);
	tap_ok(nr_queued == 4 && !task.ended && !cgroup.ended && !contexts && !masks &&
	       COUNTED({ KNG_SEEN_NMI, 4 }, { KNG_TAKEN, 4 }, { KNG_TAKEN_RELEASE, 4 }),
	       "so do destructors");
	tap_ok(irq_work() == 4 && task.ended == 1 && cgroup.ended == 1 && contexts == 1 &&
	       masks == 1 && !in_nmi_nr && NOTHING, "each of them");

	begin();
	task.rcu_users.refs.counter = 3;
	cgroup.self.refcnt.count = 5;
	cgroup.self.refcnt.atomic = false;
	in_an_nmi(all_releases);
	tap_ok(task.rcu_users.refs.counter == 2 && cgroup.self.refcnt.count == 4 &&
	       nr_queued == 1 &&
		       COUNTED({ KNG_SEEN_NMI, 3 }, { KNG_NOT_LAST, 2 }, { KNG_TAKEN, 1 },
			       { KNG_TAKEN_RELEASE, 1 }),
	       "a put that is not the last takes no job");
	irq_work();
	cgroup.self.refcnt = (struct percpu_ref) { 2, true };
	task.rcu_users.refs.counter = 1;
	in_an_nmi(all_releases);
	tap_ok(nr_queued == 3, "one that may be does, of a cgroup that was removed, too");
	irq_work();
	tap_ok(cgroup.self.refcnt.count == 1 && !cgroup.ended, "and was not");
	begin();
	cgroup.self.flags = CSS_NO_REF;
	in_an_nmi(all_releases);
	tap_ok(cgroup.self.refcnt.count == 1 && nr_queued == 2, "the root cgroup is not counted");
	irq_work();
	counted_before = kng_counts;

	begin();
	stub_does_not_run = true;
	in_an_nmi(all_dtors);
	stub_does_not_run = false;
	tap_ok(!nr_queued && task.ended == 1 && COUNTED({ KNG_BYPASSED, 5 }),
	       "where the stub does not run nothing is dropped twice, and it is counted");
	kng_counts.nr[KNG_BYPASSED] = counted_before.nr[KNG_BYPASSED] = 0;
	unload("released");
}

static void put_mem_cgroup(void)
{
	bpf_put_mem_cgroup(&mem_cgroup);
}

static void test_mem_cgroup(void)
{
	has_mem_cgroup = true;
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	load();
	mem_cgroup.css.refcnt = (struct percpu_ref) { 2, true };
	in_an_nmi(put_mem_cgroup);
	tap_ok(nr_queued == 1 && mem_cgroup.css.refcnt.count == 2 && irq_work() == 1 &&
	       mem_cgroup.css.refcnt.count == 1,
	       "a memory cgroup has no destructor, and waits all the same");
	mem_cgroup.css.refcnt = (struct percpu_ref) { 2, false };
	in_an_nmi(put_mem_cgroup);
	tap_ok(!nr_queued && mem_cgroup.css.refcnt.count == 1, "unless it is not the last");
	unload("memory cgroups");
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	kng_params.hook = KNG_HOOK_KPROBE;
	load();
	mem_cgroup.css.refcnt = (struct percpu_ref) { 2, true };
	in_an_nmi(put_mem_cgroup);
	tap_ok(nr_queued == 1 && mem_cgroup.css.refcnt.count == 2 && irq_work() == 1 &&
	       mem_cgroup.css.refcnt.count == 1, "with kprobes it has one more meanwhile");
	unload("memory cgroups and kprobes");
	has_mem_cgroup = false;
	counted_before = kng_counts;
}

static void test_release_empty(void)
{
	params(KNG_TEARDOWN_NEEDED, KNG_LEAK);
	load();
	begin();
	jobs_left = 0;
	in_an_nmi(all_dtors);
	tap_ok(!nr_queued && !task.ended && !cgroup.ended && !contexts && masks == 1 &&
	       COUNTED({ KNG_SEEN_NMI, 4 }, { KNG_EMPTY, 4 }, { KNG_TAKEN, 3 }, { KNG_LEAKED, 3 },
		       { KNG_INLINED, 1 }),
	       "without a job references leak, but for what may run in NMI");
	kng_params.on_empty = KNG_INLINE;
	begin();
	in_an_nmi(all_dtors);
	tap_ok(task.ended == 1 && cgroup.ended == 1 && contexts == 1 && masks == 1 &&
	       COUNTED({ KNG_SEEN_NMI, 4 }, { KNG_EMPTY, 4 }, { KNG_INLINED, 4 }),
	       "on_empty=inline: they run where they are called");
	tap_ok(!own_call_in_nmi && !own_call_irqsoff, "no mark stays");
	jobs_left = MAX_JOBS;
	unload("without jobs");
}

static void test_irqsoff(void)
{
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	kng_params.defer = KNG_DEFER_IRQSOFF;
	tap_ok(!load() && kng_entry_defers_irqsoff(), "defer=irqsoff");
	begin();
	irqs_off = true;
	all_releases();
	tap_ok(nr_queued == 3 &&
	       COUNTED({ KNG_SEEN_IRQSOFF, 3 }, { KNG_TAKEN, 3 }, { KNG_TAKEN_RELEASE, 3 }),
	       "with interrupts off each waits");
	irqs_off = false;
	tap_ok(irq_work() == 3 && task.ended == 1 && cgroup.ended == 1 && contexts == 1 &&
	       !nr_queued && NOTHING,
	       "the irq_work's own calls do not");
	begin();
	all_releases();
	tap_ok(!nr_queued && task.ended == 1 && NOTHING, "nor others with interrupts on");
	begin();
	irqs_off = true;
	in_an_nmi(all_dtors);
	irqs_off = false;
	tap_ok(nr_queued == 4 && COUNTED({ KNG_SEEN_NMI, 4 }, { KNG_TAKEN, 4 },
					 { KNG_TAKEN_RELEASE, 4 }), "an NMI is one all the same");
	irq_work();
	counted_before = kng_counts;
	unload("with interrupts off");

	/* A map of struct_ops */
	struct bpf_map ops = { NULL, 9, 1, BPF_MAP_TYPE_STRUCT_OPS, "ops" };

	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	kng_params.defer = KNG_DEFER_AUTO;
	load();
	tap_ok(!kng_entry_defers_irqsoff(), "defer=auto waits");
	security_bpf_map(&ops, 0);
	work();
	tap_ok(kng_entry_defers_irqsoff() && nr_said == 1 &&
	       strstr(said, "struct_ops map appeared"),
	       "for a map of struct_ops");
	security_bpf_map(&ops, 0);
	tap_ok(!to_do, "once");
	unload("with struct_ops");
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	load();
	security_bpf_map(&ops, 0);
	work();
	tap_ok(!kng_entry_defers_irqsoff(), "defer=nmi does not care");
	unload("with struct_ops and defer=nmi");
}

static const struct btf_record *the_rec;

static void teardown(void)
{
	bpf_obj_free_fields(the_rec, &value);
}

static void fill(void)
{
	begin();
	value.slot[0] = &task;
	value.slot[1] = NULL;
}

static void another_was_faster(void)
{
	value.slot[0] = NULL;
}

static void another_comes(void)
{
	with_job = NULL;
	bpf_cgroup_release_dtor(&cgroup);
}

static void another_stores(void)
{
	between = NULL;
	value.slot[0] = &task;
}

static void test_teardown(void)
{
	params(KNG_TEARDOWN_ALWAYS, KNG_LEAK);
	load();
	tap_ok(kng_teardown_is_open() && users_of((unsigned long)bpf_obj_free_fields) == 1 &&
	       !strcmp(kng_watch_door(), "open"), "teardown=always: the door is open");
	security_bpf_map(&array, 0);
	the_rec = &task_rec;
	fill();
	teardown();
	tap_ok(task.ended == 1 && !nr_queued && NOTHING, "outside NMI it lets all through");
	fill();
	in_an_nmi(teardown);
	tap_ok(!task.ended && !value.slot[0] && nr_queued == 1 &&
	       COUNTED({ KNG_SEEN_NMI, 1 }, { KNG_TAKEN, 1 }), "in NMI a reference waits");
	tap_ok(irq_work() == 1 && task.ended == 1, "and is dropped, once");
	in_an_nmi(teardown);
	tap_ok(!nr_queued && COUNTED({ KNG_SEEN_NMI, 1 }), "an empty slot takes no job");
	the_rec = &both_rec;
	fill();
	value.slot[1] = &cgroup;
	in_an_nmi(teardown);
	tap_ok(irq_work() == 2 && task.ended == 1 && cgroup.ended == 1, "of two each goes its way");
	counted_before = kng_counts;
	the_rec = &timer_rec;
	begin();
	in_an_nmi(teardown);
	tap_ok(others_freed == 1 && NOTHING, "values without kptrs are the kernel's affair");
	the_rec = ERR_PTR(-EINVAL);
	in_an_nmi(teardown);
	the_rec = NULL;
	in_an_nmi(teardown);
	tap_ok(NOTHING, "so are values without a record");
	the_rec = &object_rec;
	fill();
	value.slot[1] = &other_object;
	in_an_nmi(teardown);
	tap_ok(others_freed == 1 && !value.slot[1] && irq_work() == 1 && task.ended == 1,
	       "an object of bpf_obj_new() is left to the kernel");
	counted_before = kng_counts;

	the_rec = &task_rec;
	fill();
	with_job = another_was_faster;
	in_an_nmi(teardown);
	with_job = NULL;
	tap_ok(!nr_queued && jobs_left == MAX_JOBS &&
	       COUNTED({ KNG_SEEN_NMI, 1 }, { KNG_RACED, 1 }),
	       "a slot that another CPU has emptied costs no job");
	fill();
	with_job = another_comes;
	in_an_nmi(teardown);
	tap_ok(COUNTED({ KNG_SEEN_NMI, 2 }, { KNG_TAKEN, 2 }, { KNG_TAKEN_RELEASE, 1 },
		       { KNG_NESTED, 1 }) &&
		       irq_work() == 2 && task.ended == 1 && cgroup.ended == 1,
	       "an entry that is nested waits as well, and is counted");
	counted_before = kng_counts;
	fill();
	value.slot[0] = NULL;
	between = another_stores;
	in_an_nmi(teardown);
	tap_ok(nr_queued == 1 && !task.ended && COUNTED({ KNG_SEEN_NMI, 2 }, { KNG_TAKEN, 1 },
							{ KNG_TAKEN_RELEASE, 1 }),
	       "what is stored meanwhile comes to the release door");
	irq_work();

	kng_entry_defer_irqsoff();
	fill();
	irqs_off = true;
	teardown();
	irqs_off = false;
	tap_ok(!value.slot[0] && COUNTED({ KNG_SEEN_IRQSOFF, 1 }, { KNG_TAKEN, 1 }) &&
	       irq_work() == 1 && task.ended == 1,
	       "with defer=irqsoff one waits outside NMI, too");
	fill();
	teardown();
	tap_ok(task.ended == 1 && NOTHING, "unless interrupts are on");
	defer_nmi_only();
	counted_before = kng_counts;
}

static void test_teardown_empty(void)
{
	jobs_left = 0;
	the_rec = &task_rec;
	fill();
	in_an_nmi(teardown);
	tap_ok(value.slot[0] == &task && !task.ended &&
	       COUNTED({ KNG_SEEN_NMI, 1 }, { KNG_EMPTY, 1 }, { KNG_KEPT, 1 }),
	       "without a job a reference stays in an array");
	kng_params.on_empty = KNG_INLINE;
	in_an_nmi(teardown);
	tap_ok(!value.slot[0] && task.ended == 1 &&
	       COUNTED({ KNG_SEEN_NMI, 2 }, { KNG_EMPTY, 2 }, { KNG_INLINED, 1 }),
	       "on_empty=inline: it does not");
	kng_params.on_empty = KNG_LEAK;
	security_bpf_map(&pairs_map, 0);
	the_rec = &both_rec;
	fill();
	value.slot[1] = &cgroup;
	in_an_nmi(teardown);
	tap_ok(value.slot[0] == &task && value.slot[1] == &cgroup &&
	       COUNTED({ KNG_SEEN_NMI, 1 }, { KNG_EMPTY, 2 }, { KNG_KEPT, 2 }), "so do two");
	jobs_left = 1;
	fill();
	value.slot[1] = &cgroup;
	in_an_nmi(teardown);
	tap_ok(!value.slot[0] && value.slot[1] == &cgroup &&
	       COUNTED({ KNG_SEEN_NMI, 1 }, { KNG_TAKEN, 1 }, { KNG_EMPTY, 1 }, { KNG_KEPT, 1 }),
	       "or the second");
	irq_work();
	jobs_left = 0;
	btf_record_free(&both_rec);
	btf_record_free(&task_rec);
	security_bpf_map(&hash, 0);
	the_rec = &task_rec;
	fill();
	in_an_nmi(teardown);
	tap_ok(!value.slot[0] && !task.ended && COUNTED({ KNG_SEEN_NMI, 2 }, { KNG_EMPTY, 2 },
							{ KNG_TAKEN, 1 }, { KNG_LEAKED, 1 }),
	       "from a hash it leaks, at the release door");
	kng_params.on_empty = KNG_INLINE;
	fill();
	in_an_nmi(teardown);
	tap_ok(task.ended == 1 &&
	       COUNTED({ KNG_SEEN_NMI, 2 }, { KNG_EMPTY, 2 }, { KNG_INLINED, 1 }),
	       "on_empty=inline: it is dropped at once");
	jobs_left = MAX_JOBS;
	unload("torn down");

	/* Where the release door can't have the destructor */
	held[held_nr++] = (unsigned long)bpf_task_release_dtor;
	params(KNG_TEARDOWN_ALWAYS, KNG_LEAK);
	load();
	tap_ok(nr_said == 1 &&
	       strstr(said, "bpf_task_release_dtor can't be hooked (-16, a livepatch"),
	       "a destructor that a livepatch holds: %s", said);
	nr_shown = shown[0] = 0;
	kng_types_show_missing(NULL);
	tap_ok(!strcmp(shown, ", door_release_task_struct=release"), "what is missing:%s", shown);
	security_bpf_map(&hash, 0);
	jobs_left = 0;
	the_rec = &task_rec;
	fill();
	in_an_nmi(teardown);
	tap_ok(!value.slot[0] && !task.ended && COUNTED({ KNG_SEEN_NMI, 1 }, { KNG_EMPTY, 1 },
							{ KNG_TAKEN, 1 }, { KNG_LEAKED, 1 }),
	       "from a hash it leaks, at the teardown door");
	kng_params.on_empty = KNG_INLINE;
	fill();
	in_an_nmi(teardown);
	tap_ok(task.ended == 1 &&
	       COUNTED({ KNG_SEEN_NMI, 1 }, { KNG_EMPTY, 1 }, { KNG_INLINED, 1 }),
	       "on_empty=inline: it is dropped at once");
	jobs_left = MAX_JOBS;
	unload("with a destructor that is held");

	/* Where the teardown door can't skip its function */
	held_nr = 0;
	held[held_nr++] = (unsigned long)bpf_obj_free_fields;
	params(KNG_TEARDOWN_ALWAYS, KNG_LEAK);
	load();
	security_bpf_map(&array, 0);
	jobs_left = 0;
	fill();
	in_an_nmi(teardown);
	tap_ok(kng_teardown_is_open() && !value.slot[0] && !task.ended &&
	       COUNTED({ KNG_SEEN_NMI, 2 }, { KNG_EMPTY, 2 }, { KNG_TAKEN, 1 }, { KNG_LEAKED, 1 }),
	       "a livepatch holds bpf_obj_free_fields(): nothing can stay in its slot");
	jobs_left = MAX_JOBS;
	held_nr = 0;
	unload("with a teardown door that is held");

	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	kng_params.exact = true;
	load();
	security_bpf_map(&array, 0);
	fill();
	teardown();
	tap_ok(task.ended == 1 && removed == 1 && NOTHING,
	       "reserve=exact counts what goes outside NMI");
	fill();
	in_an_nmi(teardown);
	tap_ok(removed == 1 && irq_work() == 1, "and in NMI");
	fill();
	value.slot[1] = &cgroup;
	the_rec = &both_rec;
	teardown();
	tap_ok(removed == 2 && task.ended == 1 && cgroup.ended == 1, "both of two");
	unload("exact");
}

static unsigned int learnt(void)
{
	unsigned int i, nr = 0;

	for (i = KNG_TYPE_LEARNT; i < KNG_NR_TYPES; i++)
		nr += !!kng_types[i].dtor;
	return nr;
}

static void in_nmi_foreign(void)
{
	foreign_dtor(&other_object);
}

static void test_learn(void)
{
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	load();
	security_bpf_map(&foreign_map, 0);
	tap_ok(foreign_module.refs == 1 && !users_of((unsigned long)foreign_dtor) && to_do,
	       "a module's destructor is noted, and the module held");
	security_bpf_map(&foreign_map, 0);
	tap_ok(foreign_module.refs == 1, "once");
	work();
	tap_ok(!foreign_module.refs && learnt() == 1 &&
	       users_of((unsigned long)foreign_dtor) == 1 && !kng_teardown_is_open(),
	       "then it is hooked, and the module let go");
	begin();
	in_an_nmi(in_nmi_foreign);
	tap_ok(nr_queued == 1 && foreign_module.refs == 1 && !foreign &&
	       COUNTED({ KNG_SEEN_NMI, 1 }, { KNG_TAKEN, 1 }, { KNG_TAKEN_RELEASE, 1 }),
	       "its job holds the module");
	irq_work();
	tap_ok(foreign == 1 && !foreign_module.refs, "until it ran");
	jobs_left = 0;
	in_an_nmi(in_nmi_foreign);
	tap_ok(foreign_module.refs == 1 && COUNTED({ KNG_SEEN_NMI, 1 }, { KNG_EMPTY, 1 },
						   { KNG_TAKEN, 1 }, { KNG_LEAKED, 1 }),
	       "so does one that leaks, for ever");
	jobs_left = MAX_JOBS;
	foreign_module.refs = 0;
	nr_shown = shown[0] = 0;
	kng_types_show(NULL);
	tap_ok(strstr(shown, "door_release_of_module_foreign: 1 destructor\n"),
	       "the stats name the module");
	security_bpf_map(&foreign_map, 0);
	tap_ok(!to_do && !foreign_module.refs, "what is learnt is not learnt again");
	module_event_is(MODULE_STATE_LIVE, &foreign_module);
	tap_ok(learnt() == 1, "it stays while the module does");
	foreign_module.state = MODULE_STATE_GOING;
	kng_entry_defer_irqsoff();
	irqs_off = true;
	begin();
	foreign_dtor(&other_object);
	tap_ok(foreign == 1 && !nr_queued && NOTHING, "a module on its way out may call it");
	defer_nmi_only();
	irqs_off = false;
	module_event_is(MODULE_STATE_GOING, &foreign_module);
	tap_ok(!learnt() && !users_of((unsigned long)foreign_dtor), "it is forgotten with it");
	security_bpf_map(&foreign_map, 0);
	work();
	tap_ok(!learnt(), "one that is going is not learnt");
	foreign_module.state = MODULE_STATE_LIVE;
	counted_before = kng_counts;
	unload("learnt and forgotten");

	/* One that can't be hooked */
	held[held_nr++] = (unsigned long)foreign_dtor;
	params(KNG_TEARDOWN_NEEDED, KNG_LEAK);
	load();
	security_bpf_map(&foreign_map, 0);
	work();
	tap_ok(!learnt() && kng_teardown_is_open() && !foreign_module.refs && nr_said == 1 &&
	       strstr(said, "can't be hooked (-16): only the teardown door guards it"),
	       "one that can't be hooked opens the teardown door: %s", said);
	the_rec = &foreign_rec;
	begin();
	value.slot[0] = &other_object;
	in_an_nmi(teardown);
	tap_ok(nr_queued == 1 && foreign_module.refs == 1, "which guards it");
	irq_work();
	tap_ok(foreign == 1 && !foreign_module.refs, "as it should");
	with_job = another_was_faster;
	value.slot[0] = &other_object;
	in_an_nmi(teardown);
	with_job = NULL;
	tap_ok(!foreign_module.refs, "a slot that is raced for does not hold the module");
	btf_record_free(&foreign_rec);
	jobs_left = 0;
	value.slot[0] = &other_object;
	in_an_nmi(teardown);
	tap_ok(foreign_module.refs == 1 && !value.slot[0], "one that leaks does");
	foreign_module.refs = 0;
	with_module = another_was_faster;
	value.slot[0] = &other_object;
	counted_before = kng_counts;
	in_an_nmi(teardown);
	with_module = NULL;
	tap_ok(!foreign_module.refs &&
	       COUNTED({ KNG_SEEN_NMI, 1 }, { KNG_EMPTY, 1 }, { KNG_RACED, 1 }),
	       "but not one that another CPU took before it leaked");
	foreign_module.refs = 0;
	jobs_left = MAX_JOBS;
	held_nr = 0;
	counted_before = kng_counts;
	unload("not learnt");

	/* Unload while one is noted */
	params(KNG_TEARDOWN_NEEDED, KNG_LEAK);
	load();
	security_bpf_map(&foreign_map, 0);
	unload("noted");
	tap_ok(!foreign_module.refs, "unload lets go of what is only noted");

	/* A module is loaded again, at the same place: the table does not fill up. */
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	load();
	unsigned int i, good = 0;

	for (i = 0; i < 600; i++) {
		security_bpf_map(&foreign_map, 0);
		work();
		good += learnt() == 1;
		in_an_nmi(in_nmi_foreign);
		irq_work();
		btf_record_free(&foreign_rec);
		module_event_is(MODULE_STATE_GOING, &foreign_module);
	}
	tap_ok(good == 600 && !kng_counts.nr[KNG_TABLE_FULL],
	       "600 lives of a module: each is learnt (%u)", good);
	counted_before = kng_counts;
	unload("after 600 lives");
}

/* Modules with several destructors, and more of them than there is room for */
static void test_learn_many(void)
{
	static struct module modules[] = { { .name = "one" }, { .name = "two" } };
	static struct btf_record records[ARRAY_SIZE(later_dtors)];
	static struct bpf_map maps[ARRAY_SIZE(later_dtors)];
	unsigned int i, hooked = 0;

	params(KNG_TEARDOWN_NEEDED, KNG_LEAK);
	load();
	for (i = 0; i < ARRAY_SIZE(later_dtors); i++) {
		records[i] = (struct btf_record) { 1, BPF_KPTR_REF, {
			{ 0, BPF_KPTR_REF, { later_dtors[i], &modules[i % 2] } } } };
		maps[i] = (struct bpf_map){ &records[i], 100 + i, 10, BPF_MAP_TYPE_ARRAY, "later" };
		security_bpf_map(&maps[i], 0);
		if (i == 2) {
			work();
			nr_shown = shown[0] = 0;
			kng_types_show(NULL);
			tap_ok(strstr(shown, "_of_module_one: 2 destructors\n") &&
			       strstr(shown, "_of_module_two: 1 destructor\n") && learnt() == 3,
			       "several are noted at once, and each module has one line");
		}
		if (i == KNG_NR_LEARNT - 1) {
			work();
			tap_ok(learnt() == KNG_NR_LEARNT && !kng_teardown_is_open() && !nr_said,
			       "%u have room", learnt());
		}
	}
	work();
	for (i = 0; i < ARRAY_SIZE(later_dtors); i++)
		hooked += users_of((unsigned long)later_dtors[i]);
	tap_ok(hooked == KNG_NR_LEARNT && kng_teardown_is_open() && nr_said == 1 &&
	       strstr(said, "can't be hooked (-28)"),
	       "for one more the teardown door opens: %s", said);
	tap_ok(!modules[0].refs && !modules[1].refs, "none holds its module");
	module_event_is(MODULE_STATE_GOING, &modules[0]);
	tap_ok(learnt() == KNG_NR_LEARNT / 2, "a module takes all of its own, and no other's");
	security_bpf_map(&maps[8], 0);
	work();
	tap_ok(learnt() == KNG_NR_LEARNT / 2 + 1 && users_of((unsigned long)later_dtors[8]) == 1,
	       "then there is room again");
	/* ftrace can't unhook one: its entry is not used again. */
	ftrace_dead = true;
	module_event_is(MODULE_STATE_GOING, &modules[1]);
	ftrace_dead = false;
	tap_ok(learnt() == 1, "ftrace is dead: they are forgotten all the same");
	for (i = 0; i < 4; i++)
		security_bpf_map(&maps[2 * i], 0);
	work();
	tap_ok(learnt() == 4, "but their entries are not used again (%u)", learnt());
	unload("many learnt");

	/* More at once than can be noted */
	params(KNG_TEARDOWN_NEEDED, KNG_LEAK);
	load();
	for (i = 0; i < ARRAY_SIZE(later_dtors); i++)
		security_bpf_map(&maps[i], 0);
	work();
	tap_ok(learnt() == 8 && kng_teardown_is_open() && !modules[0].refs && !modules[1].refs,
	       "of nine at once eight are noted, and the teardown door opens");
	unload("nine at once");
}

static void test_watch(void)
{
	static const struct {
		const char *what;
		struct bpf_map *map;
		bool opens;
	} tries[] = {
		{ "a map of tasks", &array }, { "a map of objects", &objects, true },
		{ "a map of timers", &timers },
	};
	unsigned int i;
	int mode;

	for (mode = KNG_TEARDOWN_AUTO; mode <= KNG_TEARDOWN_NEEDED; mode += 2) {
		for (i = 0; i < ARRAY_SIZE(tries); i++) {
			params(mode, KNG_LEAK);
			load();
			security_bpf_map(tries[i].map, 0);
			work();
			tap_ok(kng_teardown_is_open() == tries[i].opens &&
			       kng_maps_watched() == (tries[i].map != &timers),
			       "teardown=%s: %s%s", mode ? "needed" : "auto", tries[i].what,
			       tries[i].opens ? " opens the door" : "");
			btf_record_free(tries[i].map->record);
			tap_ok(!kng_maps_watched() && kng_teardown_is_open() == tries[i].opens,
			       "its end is seen");
			unload(tries[i].what);
		}
		params(mode, KNG_LEAK);
		load();
		kng_watch_note_shortage();
		work();
		tap_ok(kng_teardown_is_open() == (mode == KNG_TEARDOWN_AUTO),
		       "teardown=%s, jobs run short", mode ? "needed" : "auto");
		unload("short of jobs");

		cancels = true;
		params(mode, KNG_LEAK);
		load();
		security_bpf_map(&objects, 0);
		kng_watch_note_shortage();
		work();
		tap_ok(!kng_teardown_is_open() && kng_watch_kernel_cancels(),
		       "not where the kernel keeps it out of NMI: %s", kng_watch_door());
		unload("a newer kernel");
		cancels = false;
	}
	held[held_nr++] = (unsigned long)bpf_task_release_dtor;
	params(KNG_TEARDOWN_NEEDED, KNG_LEAK);
	load();
	tap_ok(!kng_teardown_is_open(), "a destructor of the kernel that is held");
	security_bpf_map(&array, 0);
	work();
	tap_ok(kng_teardown_is_open(), "opens the door with the first map that has it");
	held_nr = 0;
	unload("held");

	/* A map that is older, and one of our own */
	own_map = 16;
	older[0] = &hash;
	older[1] = &timers;
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	changes = 0;
	load();
	tap_ok(kng_maps_watched() == 1 && kng_watch_found_exchangeable() && changes == 1 &&
	       COUNTED({ KNG_ADOPTED, 1 }), "a map that is older is adopted");
	security_bpf_map(&pairs_map, 0);
	tap_ok(kng_maps_watched() == 2 && NOTHING && changes == 2, "one that comes is not older");
	btf_record_free(&both_rec);
	tap_ok(changes == 3, "the reserve is told of each");
	btf_record_free(&both_rec);
	btf_record_free(NULL);
	tap_ok(changes == 3, "of no other record");
	unload("older maps");
	older[0] = older[1] = NULL;
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	load();
	tap_ok(!kng_watch_found_exchangeable(), "without one nothing is found");
	unload("no map");

	adopt_error = -EACCES;
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	load();
	tap_ok(kng_teardown_is_open() && kng_watch_found_exchangeable() && nr_said == 1 &&
	       strstr(said, "some existing maps can't be read (-13)"),
	       "maps that can't be read: %s", said);
	adopt_error = 0;
	unload("maps that can't be read");

	/* Hooked, but nobody calls it: a compiler has inlined it. */
	nobody_sees_new = true;
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	load();
	tap_ok(!kng_watch_complete() && kng_teardown_is_open() &&
	       !strcmp(kng_watch_state(), "none") &&
		       strstr(said, "security_bpf_map is hooked, but a new map did not call it"),
	       "%s", said);
	nobody_sees_new = false;
	unload("nobody calls security_bpf_map()");
	nobody_sees_ends = true;
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	load();
	security_bpf_map(&array, 0);
	tap_ok(!kng_watch_complete() && !kng_maps_watched() &&
	       !strcmp(kng_watch_state(), "new maps only") &&
		       strstr(said,
			      "btf_record_free is hooked, but the end of a map did not call it"),
	       "%s", said);
	nobody_sees_ends = false;
	unload("nobody calls btf_record_free()");
	fire_error = -ENOMEM;
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	tap_ok(load() == -ENOMEM && kernel_is_clean(), "no memory to try it: it does not load");
	fire_error = 0;
	unload("not tried");
	fire_teardown_error = -ENOENT;
	params(KNG_TEARDOWN_ALWAYS, KNG_LEAK);
	load();
	tap_ok(!kng_teardown_is_open() && kng_watch_door_failed(),
	       "nobody calls bpf_obj_free_fields(): %s", kng_watch_door());
	fire_teardown_error = 0;
	unload("nobody calls bpf_obj_free_fields()");

	hidden[hidden_nr++] = (unsigned long)btf_record_free;
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	load();
	security_bpf_map(&array, 0);
	tap_ok(!kng_watch_complete() && !kng_maps_watched() &&
	       strstr(said, "btf_record_free can't be hooked"),
	       "maps whose end can't be seen are not charged: %s", said);
	unload("no end");
	hidden[0] = (unsigned long)security_bpf_map;
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	load();
	tap_ok(!kng_watch_complete() && kng_teardown_is_open() &&
	       strstr(said, "security_bpf_map can't be hooked"),
	       "maps that can't be seen: the door opens");
	unload("no beginning");
	hidden_nr = 0;
}

static u64 deleted[3];

static void delete_storage(void)
{
	deleted[0] = bpf_task_storage_delete(1, 2);
	deleted[1] = bpf_task_storage_delete_recur(1, 2);
	deleted[2] = bpf_cgrp_storage_delete(1, 2);
}

static void test_storage(void)
{
	u64 refused = -EOPNOTSUPP;

	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	load();
	tap_ok(!strcmp(kng_storage_state(), "refused in NMI") && !kng_storage_unhooked(),
	       "deletes of storage: %s", kng_storage_state());
	deletes = 0;
	delete_storage();
	tap_ok(deletes == 3 && NOTHING, "outside NMI they are the kernel's");
	kng_entry_defer_irqsoff();
	irqs_off = true;
	delete_storage();
	tap_ok(deletes == 6 && NOTHING, "with interrupts off as well");
	defer_nmi_only();
	irqs_off = false;
	in_an_nmi(delete_storage);
	tap_ok(deletes == 6 && deleted[0] == refused && deleted[1] == refused &&
	       deleted[2] == refused &&
		       COUNTED({ KNG_SEEN_NMI, 3 }, { KNG_REFUSED_NMI, 3 }),
	       "in NMI they are refused");
	unload("storage");
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	kng_params.refuse_delete = false;
	load();
	in_an_nmi(delete_storage);
	tap_ok(deletes == 9 && NOTHING && !strcmp(kng_storage_state(), "left alone") &&
	       !kng_storage_unhooked(),
	       "refuse_delete=N: they are not");
	unload("storage that is left alone");
	held[held_nr++] = (unsigned long)bpf_cgrp_storage_delete;
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	load();
	tap_ok(kng_storage_unhooked() == 1 && !strcmp(kng_storage_state(), "can't be hooked") &&
	       strstr(said, "bpf_cgrp_storage_delete can't be hooked (-16)"),
	       "one is held: %s", said);
	held_nr = 0;
	unload("storage that is held");
}

static unsigned int replaced;

static void replacement(void *obj)
{
	replaced += obj == &context;
}

static void test_hooks(void)
{
	unsigned int i, refused = 0;
	char why[sizeof(said)] = "";

	ftrace_again = 50;
	slept = 0;
	params(KNG_TEARDOWN_ALWAYS, KNG_LEAK);
	tap_ok(!load() && slept >= 50 && kng_teardown_is_open() && kng_watch_complete() &&
	       kng_types[0].hook.hooked == 3, "ftrace asks to try again, fifty times");
	unload("tried again");
	ftrace_again = 100;
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	load();
	security_bpf_map(&array, 0);
	tap_ok(kng_maps_watched() == 1 && kng_watch_complete(),
	       "more often: then each function is hooked by itself");
	btf_record_free(&task_rec);
	tap_ok(!kng_maps_watched(), "and seen");
	unload("tried too often");

	ftrace_error = -EIO;
	params(KNG_TEARDOWN_ALWAYS, KNG_LEAK);
	tap_ok(load() && !kng_types[0].hook.hooked && !kng_teardown_is_open(),
	       "ftrace had each ops, and then fails: nothing is hooked");
	unload("failed");
	ftrace_error = 0;

	filter_no_memory = true;
	params(KNG_TEARDOWN_ALWAYS, KNG_LEAK);
	tap_ok(load() == -ENOMEM, "no memory for a filter: it does not load");
	filter_no_memory = false;
	unload("without memory");
	/* Each of them once, with a function held: then hooks are installed one by one. */
	held[held_nr++] = (unsigned long)bpf_cgroup_release;
	held[held_nr++] = (unsigned long)bpf_cgrp_storage_delete;
	for (i = 1; i < 100; i++) {
		params(KNG_TEARDOWN_ALWAYS, KNG_LEAK);
		filter_fails_at = i;
		if (!load())
			break;
		refused += filter_fails_at == 0 && kernel_is_clean();
		snprintf(why, sizeof(why), "%s", said);
		everything_exits();
	}
	tap_ok(i > 20 && i < 100 && refused == i - 1 && filter_fails_at,
	       "each filter fails once: it does not load, and nothing stays (%u of %u)", refused,
	       i - 1);
	tap_ok(strstr(why, "no memory to hook deletes of local storage"), "the last of them: %s",
	       why);
	filter_fails_at = 0;
	held_nr = 0;
	unload("each without memory");
	params(KNG_TEARDOWN_ALWAYS, KNG_LEAK);
	load();
	filter_no_memory = true;
	held[held_nr++] = (unsigned long)foreign_dtor;
	security_bpf_map(&foreign_map, 0);
	work();
	tap_ok(strstr(said, "can't be hooked (-12)") && !foreign_module.refs, "nor later: %s",
	       said);
	filter_no_memory = false;
	held_nr = 0;
	unload("without memory later");

	ftrace_dead = true;
	params(KNG_TEARDOWN_ALWAYS, KNG_LEAK);
	tap_ok(load() == -ENODEV && strstr(said, "ftrace has shut itself down"),
	       "ftrace is dead: %s", said);
	ftrace_dead = false;
	kng_learn_exit();
	kng_dtor_exit();

	params(KNG_TEARDOWN_ALWAYS, KNG_LEAK);
	load();
	ftrace_dead = true;
	kng_teardown_close();
	tap_ok(never_returns && strstr(said, "unloading waits for ever"),
	       "ftrace dies: unload never ends");
	ftrace_dead = never_returns = false;
	unload("after all");

	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	load();
	ftrace_dead = true;
	kng_release_exit();
	tap_ok(never_returns, "with the release door, too");
	never_returns = false;
	kng_watch_exit();
	tap_ok(never_returns, "and with the watch");
	never_returns = false;
	kng_storage_exit();
	tap_ok(never_returns, "and with deletes of storage");
	ftrace_dead = never_returns = false;
	unload("after all that");

	/* One that replaces its function does so in every context. */
	struct kng_hook replaces = {
		.function = { "bpf_crypto_ctx_release" }, .can_skip = true,
		.replacement = (unsigned long)replacement,
	};

	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	kng_hook_init();
	begin();
	tap_ok(!kng_hook_install(&replaces), "a function is replaced");
	bpf_crypto_ctx_release(&context);
	nmi = true;
	bpf_crypto_ctx_release(&context);
	nmi = false;
	tap_ok(!contexts && replaced == 2, "in each context (%u)", replaced);
	kng_hook_remove(&replaces);
	bpf_crypto_ctx_release(&context);
	tap_ok(contexts == 1 && kernel_is_clean(), "until it is not");

	/* A mark ends with the call that it was made for. */
	nmi = true;
	kng_entry_mark_own_call(&task);
	tap_ok(kng_entry_mark_own_call(&cgroup) == &task &&
	       kng_entry_mark_own_call(NULL) == &cgroup,
	       "a mark gives the one before back");
	nmi = false;
	tap_ok(!kng_entry_mark_own_call(&task) && !own_call_irqsoff, "outside NMI there is none");
	irqs_off = true;
	kng_entry_mark_own_call(&task);
	irqs_off = false;
	kng_entry_defer_irqsoff();
	kng_entry_mark_own_call(&task);
	tap_ok(!own_call_irqsoff && !own_call_in_nmi, "nor with only half of what it takes");
	irqs_off = true;
	kng_entry_mark_own_call(&task);
	tap_ok(kng_entry_mark_own_call(&cgroup) == &task &&
	       kng_entry_mark_own_call(NULL) == &cgroup,
	       "but with defer=irqsoff");
	defer_nmi_only();
	irqs_off = false;

	/* Each function that somebody holds leaves the others. */
	held[held_nr++] = (unsigned long)bpf_cgroup_release;
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	load();
	tap_ok(kng_types[KNG_TYPE_CGROUP].hook.hooked == 1 && kng_types[0].hook.hooked == 3 &&
	       strstr(said,
		      "bpf_cgroup_release can't be hooked (-16, a livepatch or another"),
	       "one function is held, the others are hooked: %s", said);
	begin();
	in_an_nmi(all_dtors);
	tap_ok(nr_queued == 4 && irq_work() == 4 && cgroup.ended == 1 && !in_nmi_nr, "and work");
	held_nr = 0;
	counted_before = kng_counts;
	unload("with one held");

	hidden[hidden_nr++] = (unsigned long)bpf_task_release;
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	load();
	tap_ok(kng_types[0].hook.hooked == 1 &&
	       strstr(said, "bpf_task_release can't be hooked (-2)"),
	       "one can't be traced: %s", said);
	hidden_nr = 0;
	unload("with one hidden");

	hidden[hidden_nr++] = (unsigned long)bpf_obj_free_fields;
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	kng_params.hook = KNG_HOOK_FTRACE;
	tap_ok(kng_hook_init() == -EOPNOTSUPP && strstr(said, "available_filter_functions"),
	       "hook=ftrace where it can't: %s", said);
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	kng_params.defer = KNG_DEFER_IRQSOFF;
	tap_ok(kng_hook_init() == -EOPNOTSUPP && strstr(said, "defer=irqsoff"),
	       "nor does defer=irqsoff: %s", said);
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	kng_params.exact = true;
	tap_ok(kng_hook_init() == -EOPNOTSUPP && strstr(said, "reserve=exact"),
	       "nor reserve=exact: %s", said);
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	tap_ok(!kng_hook_init() && !kng_hook_uses_ftrace(), "hook=auto takes kprobes there");
	hidden_nr = 0;

	probe_error = -EMFILE;
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	tap_ok(load() == -EMFILE, "no file descriptor: it does not load");
	probe_error = 0;
	unload("without a file descriptor");
}

static void test_kprobes(void)
{
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	kng_params.hook = KNG_HOOK_KPROBE;
	tap_ok(!load() && !kng_hook_uses_ftrace() && kng_teardown_is_open(),
	       "hook=kprobe: the door is open");
	tap_ok(strstr(said, "bpf_crypto_ctx_release can't be hooked (-95)"),
	       "it says what is not: %s", said);
	tap_ok(users_of((unsigned long)bpf_task_release) == 1 &&
	       users_of((unsigned long)bpf_cgroup_release_dtor) == 1 &&
		       !users_of((unsigned long)bpf_crypto_ctx_release),
	       "of releases those whose references it can take");
	begin();
	all_releases();
	tap_ok(!nr_queued && task.ended == 1 && NOTHING, "outside NMI they run as ever");
	begin();
	in_an_nmi(all_releases);
	tap_ok(nr_queued == 2 && !task.ended && task.rcu_users.refs.counter == 1 &&
	       cgroup.self.refcnt.count == 1 &&
		       COUNTED({ KNG_SEEN_NMI, 2 }, { KNG_TAKEN, 2 }, { KNG_TAKEN_RELEASE, 2 }),
	       "in NMI each has one more, which its job drops");
	irq_work();
	tap_ok(task.ended == 1 && cgroup.ended == 1, "and is gone then");
	security_bpf_map(&array, 0);
	the_rec = &task_rec;
	fill();
	in_an_nmi(teardown);
	tap_ok(nr_queued == 1 && !task.ended && irq_work() == 1 && task.ended == 1,
	       "teardown waits, too");
	counted_before = kng_counts;
	jobs_left = 0;
	begin();
	in_an_nmi(all_releases);
	tap_ok(task.rcu_users.refs.counter == 1 && !task.ended &&
	       COUNTED({ KNG_SEEN_NMI, 2 }, { KNG_EMPTY, 2 }, { KNG_TAKEN, 2 },
		       { KNG_LEAKED, 2 }),
	       "without a job the one more stays");
	kng_params.on_empty = KNG_INLINE;
	begin();
	in_an_nmi(all_releases);
	tap_ok(task.ended == 1 &&
	       COUNTED({ KNG_SEEN_NMI, 2 }, { KNG_EMPTY, 2 }, { KNG_INLINED, 2 }),
	       "on_empty=inline: there is none");
	jobs_left = MAX_JOBS;
	kprobes[0]->nmissed = 3;
	kprobes[1]->nmissed = 4;
	tap_ok(kng_types_missed() + kng_teardown_missed() == 7, "what they miss is known");
	unload("kprobes");
	kprobe_error = -EBUSY;
	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	kng_params.hook = KNG_HOOK_KPROBE;
	tap_ok(load() == -EBUSY, "no kprobe can be had: it does not load");
	kprobe_error = -EINVAL;
	kng_watch_exit();
	tap_ok(kng_teardown_open(true) == -EOPNOTSUPP, "or may be there: that is not supported");
	kprobe_error = 0;
	unload("without kprobes");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv);
	test_release();
	test_mem_cgroup();
	test_release_empty();
	test_irqsoff();
	test_teardown();
	test_teardown_empty();
	test_learn();
	test_learn_many();
	test_watch();
	test_storage();
	test_hooks();
	test_kprobes();
	tap_ok(!live, "all memory is back (%d)", live);
	return tap_done();
}
