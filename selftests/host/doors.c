// SPDX-License-Identifier: GPL-2.0-only
/*
 * Both doors, from the hooks to the jobs, and deletes of local storage.
 */
#include "guarded.h"

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

static void may_miss_struct_ops(enum kng_defer_choice defer, enum kng_hook_choice hook,
				bool expects, const char *what)
{
	params(KNG_TEARDOWN_ALWAYS, KNG_LEAK);
	kng_params.defer = defer;
	kng_params.hook = hook;
	load();
	tap_ok(kng_entry_defers_irqsoff() == expects &&
	       !!strstr(said, "a struct_ops map may be there unseen") == expects, "%s", what);
	unload(what);
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

	/* One that can't be seen */
	nobody_sees_new = true;
	may_miss_struct_ops(KNG_DEFER_AUTO, KNG_HOOK_AUTO, true, "unseen maps: defer=auto does not wait");
	may_miss_struct_ops(KNG_DEFER_NMI, KNG_HOOK_AUTO, false, "defer=nmi does not care either");
	nobody_sees_new = false;
	adopt_error = -EACCES;
	may_miss_struct_ops(KNG_DEFER_AUTO, KNG_HOOK_AUTO, true, "nor does auto wait where older maps can't be read");
	adopt_error = 0;
	may_miss_struct_ops(KNG_DEFER_AUTO, KNG_HOOK_AUTO, false, "where it sees all it waits");
	may_miss_struct_ops(KNG_DEFER_AUTO, KNG_HOOK_KPROBE, false, "with kprobes it waits for ever");
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

static u64 deleted[3];

static void delete_storage(void)
{
	deleted[0] = bpf_task_storage_delete(1, 2);
	deleted[1] = bpf_task_storage_delete_recur(1, 2);
	deleted[2] = bpf_cgrp_storage_delete(1, 2);
}

/* How many times unloading waits for all tasks */
static unsigned int nr_ops(void)
{
	const struct ftrace_ops *ops;
	unsigned int nr = 0;

	for (ops = ftrace_list; ops; ops = ops->next)
		nr++;
	return nr;
}

static void test_storage(void)
{
	u64 refused = -EOPNOTSUPP;

	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	load();
	tap_ok(!strcmp(kng_storage_state(), "refused in NMI") && !kng_storage_unhooked(),
	       "deletes of storage: %s", kng_storage_state());
	tap_ok(nr_ops() == 2, "they share an ftrace_ops with releases; the watch has one (%u)",
	       nr_ops());
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
	kng_entry_defer_irqsoff();
	irqs_off = true;
	deletes = 0;
	delete_storage();
	tap_ok(deletes == 3 && NOTHING, "with interrupts off all three are the kernel's");
	defer_nmi_only();
	irqs_off = false;
	in_an_nmi(delete_storage);
	begin();
	in_an_nmi(all_dtors);
	tap_ok(deletes == 4 && deleted[0] == refused && deleted[1] == refused &&
	       kng_types[0].hook.hooked == 3 && nr_queued == 4 && irq_work() == 4,
	       "the others are refused, and releases hooked, all the same");
	counted_before = kng_counts;
	held_nr = 0;
	unload("storage that is held");
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
	test_storage();
	tap_ok(!live, "all memory is back (%d)", live);
	return tap_done();
}
