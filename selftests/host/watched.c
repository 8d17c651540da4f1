// SPDX-License-Identifier: GPL-2.0-only
/*
 * Maps as they come and go, and what the guard learns from them.
 */
#include "guarded.h"

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
	       !strcmp(kng_watch_state(), "new maps only") &&
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
	security_bpf_map(&array, 0);
	tap_ok(!strcmp(kng_watch_state(), "none"), "one that calls it all the same is too late");
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

int main(int argc, char **argv)
{
	tap_start(argc, argv);
	test_learn();
	test_learn_many();
	test_watch();
	tap_ok(!live, "all memory is back (%d)", live);
	return tap_done();
}
