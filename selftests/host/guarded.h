/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For doors.c, watched.c and hooks.c: module/entry.c, hook.c, direct.c, kprobe.c, types.c,
 * put.c, teardown.c, release.c, learn.c, watch.c, storage.c and what they use of maps, themselves,
 * on a kernel of a few functions (doors.h). Here it is one thread; contexts are a
 * variable. What a job does is the test's: it has so many of them.
 */
#ifndef SELFTESTS_HOST_GUARDED_H
#define SELFTESTS_HOST_GUARDED_H

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
#include "../../module/direct.c"
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
#include "../../module/storage.c"
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
	kng_dtor_put(job->dtor, 1);
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

		kng_dtor_call(kng_dtors[job->dtor].fn, job->obj);
		kng_dtor_put(job->dtor, 1);
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
	guarded = kng_release_init(kng_storage_join);
	ret = guarded;
	if (guarded < 0)
		goto close;
	kng_storage_report();
	ret = kng_watch_start(guarded && !kng_params.exact ? kng_params.teardown :
			      KNG_TEARDOWN_ALWAYS);
	if (!ret || (guarded && ret != -ENOMEM && ret != -EINTR))
		return 0;
close:
	kng_watch_exit();
	kng_storage_exit();
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

	kng_watch_exit();
	kng_storage_exit();
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
	sees_new = sees_ends = missed_older = false;
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

#endif /* SELFTESTS_HOST_GUARDED_H */
