// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hooks that others hold, that can't be traced, for which memory is missing; kprobes.
 */
#include "guarded.h"

static unsigned int replaced;

static void replacement(void *obj)
{
	replaced += obj == &context;
}

static unsigned int directly;

static void direct_replacement(void *obj)
{
	directly += obj == &context;
}

/* A hook with a stub: by a direct call, or else as without. */
static void test_direct(void)
{
	struct kng_hook replaces = {
		.function = { "bpf_crypto_ctx_release" }, .can_skip = true,
		.replacement = (unsigned long)replacement,
		.direct = (unsigned long)direct_replacement,
	};
	struct kng_hook second = replaces;
	unsigned int before;

	params(KNG_TEARDOWN_AUTO, KNG_LEAK);
	kng_hook_init();
	begin();
	directly = replaced = 0;
	tap_ok(!kng_hook_install(&replaces) && replaces.is_direct && replaces.hooked == 1,
	       "a function calls the stub");
	bpf_crypto_ctx_release(&context);
	nmi = true;
	bpf_crypto_ctx_release(&context);
	nmi = false;
	tap_ok(!contexts && directly == 2 && !replaced, "in each context (%u)", directly);
	tap_ok(kng_hook_install(&second) == -EBUSY && !second.hooked && !second.is_direct &&
	       kng_hook_missed(&replaces) == 0, "nobody else can have it");
	kng_hook_remove(&replaces);
	bpf_crypto_ctx_release(&context);
	tap_ok(contexts == 1 && directly == 2 && !replaces.hooked && kernel_is_clean(),
	       "until it is removed");

	/* A BPF trampoline is there. */
	traced_directly = (unsigned long)bpf_crypto_ctx_release;
	before = grace_periods;
	tap_ok(!kng_hook_install(&replaces) && !replaces.is_direct && replaces.hooked == 1 &&
	       grace_periods > before,
	       "where somebody has the direct call it is replaced by ftrace's handler");
	bpf_crypto_ctx_release(&context);
	tap_ok(contexts == 1 && directly == 2 && replaced == 1, "which works");
	kng_hook_remove(&replaces);
	bpf_crypto_ctx_release(&context);
	tap_ok(contexts == 2 && kernel_is_clean(), "until that is removed");
	traced_directly = 0;

	kng_params.hook = KNG_HOOK_FTRACE;
	tap_ok(!kng_hook_install(&replaces) && !replaces.is_direct, "hook=ftrace: by a handler");
	bpf_crypto_ctx_release(&context);
	tap_ok(directly == 2 && replaced == 2, "which works");
	kng_hook_remove(&replaces);
	kng_params.hook = KNG_HOOK_AUTO;
	tap_ok(kernel_is_clean(), "and is removed");

	held[held_nr++] = (unsigned long)bpf_crypto_ctx_release;
	tap_ok(kng_hook_install(&replaces) == -EBUSY && !replaces.hooked && !replaces.is_direct &&
	       kernel_is_clean(), "a livepatch has it: neither can be had");
	held_nr = 0;
	hidden[hidden_nr++] = (unsigned long)bpf_crypto_ctx_release;
	tap_ok(kng_hook_install(&replaces) == -EOPNOTSUPP && !replaces.hooked && kernel_is_clean(),
	       "it can't be traced: the same");
	hidden_nr = 0;

	kng_hook_install(&replaces);
	ftrace_dead = true;
	tap_ok(kng_hook_remove(&replaces) == -ENODEV && replaces.hooked, "ftrace dies: it stays");
	kng_hook_remove_for_good(&replaces);
	tap_ok(never_returns, "and unload never ends");
	ftrace_dead = never_returns = false;
	kng_hook_remove_for_good(&replaces);
	tap_ok(!never_returns && kernel_is_clean(), "with ftrace it goes");
}

static void test_hooks(void)
{
	unsigned int i, refused = 0;

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
		everything_exits();
	}
	tap_ok(i > 20 && i < 100 && refused == i - 1 && filter_fails_at,
	       "each filter fails once: it does not load, and nothing stays (%u of %u)", refused,
	       i - 1);
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
	test_hooks();
	test_direct();
	test_kprobes();
	tap_ok(!live, "all memory is back (%d)", live);
	return tap_done();
}
