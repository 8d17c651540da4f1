// SPDX-License-Identifier: GPL-2.0-only
/* exposure's answer: as JSON, and for people, the verdict first. */
#include <stdio.h>
#include <sys/utsname.h>

#include "exposure.h"
#include "kernel.h"
#include "out.h"
#include "owners.h"

const char *verdict_word(enum verdict verdict)
{
	static const char * const words[] = {
		[NOT_EXPOSED] = "not exposed", [GUARDED] = "guarded", [EXPOSED] = "exposed",
		[UNKNOWN] = "unknown",
	};

	return words[verdict];
}

static json_t *json_places(const struct report *report, __u32 prog)
{
	json_t *list = json_array(), *object;
	size_t i;

	for (i = 0; i < report->places.nr; i++) {
		const struct place *place = &report->places.place[i];

		if (place->prog != prog)
			continue;
		object = json_object();
		json_put(object, "name", json_string(place->name));
		json_put(object, "context", json_string(context_name(place->context)));
		if (place->why)
			json_put(object, "why", json_string(place->why));
		json_array_append_new(list, object);
	}
	return list;
}

static json_t *json_programs(const struct report *report)
{
	json_t *list = json_array(), *object, *maps;
	__u32 k;
	size_t i;

	for (i = 0; i < report->nr; i++) {
		const struct finding *finding = &report->finding[i];
		const struct prog *prog = finding->prog;

		object = json_object();
		maps = json_array();
		for (k = 0; k < prog->nr_maps; k++)
			json_array_append_new(maps, json_integer(prog->maps[k]));
		json_put(object, "id", json_integer(prog->id));
		json_put(object, "name", json_string(prog->name));
		json_put(object, "type", json_string(prog_type_name(prog)));
		json_put(object, "verdict", json_string(verdict_word(finding->verdict)));
		json_put(object, "context", json_string(context_name(prog->worst->context)));
		json_put(object, "attached", json_places(report, prog->id));
		if (prog->caller)
			json_put(object, "tail_called_by", json_integer(prog->caller));
		json_put(object, "drops", json_string(finding->danger.drops));
		json_put(object, "in_spite_of_guard", json_string(finding->danger.in_spite));
		json_put(object, "exchanges", json_boolean(prog->exchanges));
		json_put(object, "maps", maps);
		json_put(object, "owners", owners_of(OWNED_PROG, prog->id));
		json_array_append_new(list, object);
	}
	return list;
}

static json_t *json_fields(const struct fields *fields)
{
	json_t *list = json_array(), *object;
	unsigned int i;

	for (i = 0; i < fields->nr; i++) {
		object = json_object();
		json_put(object, "path", json_string(fields->field[i].path));
		json_put(object, "kind", json_string(field_kind_name(fields->field[i].kind)));
		json_put(object, "type", json_string(fields->field[i].type));
		json_array_append_new(list, object);
	}
	return list;
}

static json_t *json_maps(const struct report *report)
{
	json_t *list = json_array(), *object, *users;
	size_t i, k;

	for (i = 0; i < report->nr_uses; i++) {
		const struct map *map = report->use[i].map;

		object = json_object();
		users = json_array();
		for (k = 0; k < report->nr; k++)
			if (prog_uses(report->finding[k].prog, map->id))
				json_array_append_new(users,
						      json_integer(report->finding[k].prog->id));
		json_put(object, "id", json_integer(map->id));
		json_put(object, "name", json_string(map->name));
		json_put(object, "type", json_string(map_type_name(map)));
		json_put(object, "max_entries", json_integer(map->entries));
		json_put(object, "fields", json_fields(&map->fields));
		json_put(object, "programs", users);
		json_put(object, "owners", owners_of(OWNED_MAP, map->id));
		json_array_append_new(list, object);
	}
	return list;
}

json_t *exposure_json(const struct report *report)
{
	json_t *object = json_object();
	struct utsname uts;

	uname(&uts);
	json_put(object, "verdict", json_string(verdict_word(report->verdict)));
	json_put(object, "kernel", json_string(uts.release));
	json_put(object, "frees_in_nmi", json_boolean(kernel_get()->frees_fields &&
						      !kernel_get()->cancels));
	json_put(object, "guard_loaded", json_boolean(report->guard.loaded));
	json_put(object, "programs", json_programs(report));
	json_put(object, "maps", json_maps(report));
	json_put(object, "unseen", out_unseen_json());
	return object;
}

static void print_owners(json_t *owners)
{
	json_t *owner;
	size_t i;

	json_array_foreach(owners, i, owner)
		printf("%s%s (%lld)", i ? ", " : "   owner: ",
		       json_string_value(json_object_get(owner, "comm")),
		       (long long)json_integer_value(json_object_get(owner, "pid")));
	if (!json_array_size(owners))
		fputs("   owner: none (pinned, or held by the kernel)", stdout);
	putchar('\n');
	json_decref(owners);
}

static void print_programs(const struct report *report)
{
	size_t i;

	if (report->nr)
		out_tone(TONE_HEAD, "\nPrograms that can run in NMI or with interrupts off:\n");
	for (i = 0; i < report->nr; i++) {
		const struct finding *finding = &report->finding[i];
		const struct prog *prog = finding->prog;

		fputs("  ", stdout);
		out_tone(finding->verdict == EXPOSED ? TONE_BAD : TONE_GOOD, "%-11s",
			 verdict_word(finding->verdict));
		printf("  %u %s (%s at %s)\n", prog->id, prog->name, prog_type_name(prog),
		       prog->worst->name);
		printf("      runs: %s, %s\n", context_name(prog->worst->context),
		       prog->worst->why);
		if (prog->caller)
			printf("      called from there by program %u (tail call)\n", prog->caller);
		if (*finding->danger.drops)
			printf("      drops references: %s\n", finding->danger.drops);
		if (*finding->danger.in_spite)
			printf("      hangs in spite of the guard: %s\n",
			       finding->danger.in_spite);
		fputs("   ", stdout);
		print_owners(owners_of(OWNED_PROG, prog->id));
	}
}

static void print_map(const struct map_use *use)
{
	const struct map *map = use->map;
	unsigned int k;

	printf("  %u %s (%s, %u entries)", map->id, map->name, map_type_name(map), map->entries);
	for (k = 0; k < map->fields.nr; k++)
		printf("%s %s: %s %s", k ? "," : "", map->fields.field[k].path,
		       field_kind_name(map->fields.field[k].kind), map->fields.field[k].type);
	putchar('\n');
	if (use->by)
		printf("      program: %u %s, %s\n", use->by->prog->id, use->by->prog->name,
		       verdict_word(use->by->verdict));
	fputs("   ", stdout);
	print_owners(owners_of(OWNED_MAP, map->id));
}

static void print_maps(const struct report *report)
{
	size_t i;

	for (i = 0; i < report->nr_uses; i++) {
		const struct map_use *use = &report->use[i];

		if (!i && use->by)
			out_tone(TONE_HEAD, "\nMaps of these that can own references to kernel objects:\n");
		if (!use->by && (!i || report->use[i - 1].by))
			out_tone(TONE_HEAD, "\nOther maps that can own references; no program of the kinds above uses them:\n");
		print_map(use);
	}
}

static void print_verdict(const struct report *report)
{
	unsigned int counts[UNKNOWN + 1] = { 0 };
	size_t i;

	for (i = 0; i < report->nr; i++)
		counts[report->finding[i].verdict]++;
	out_tone(report->verdict == EXPOSED ? TONE_BAD : report->verdict == UNKNOWN ? TONE_WARN :
		 TONE_GOOD, "%s:", verdict_word(report->verdict));
	switch (report->verdict) {
	case EXPOSED:
		printf(" %u program%s can hang this machine, by dropping the last reference to a\n"
		       "kernel object in NMI or with interrupts off\n", counts[EXPOSED],
		       counts[EXPOSED] == 1 ? "" : "s");
		break;
	case GUARDED:
		printf(" %u program%s would be able to hang this machine; the guard defers what they\n"
		       "drop\n", counts[GUARDED], counts[GUARDED] == 1 ? "" : "s");
		break;
	case NOT_EXPOSED:
		printf(" no loaded program drops references to kernel objects in NMI or with\n"
		       "interrupts off (%zu programs, %zu maps looked at)\n", report->progs.nr,
		       report->maps.nr);
		break;
	case UNKNOWN:
		printf(" what is loaded can't be looked at\n");
		break;
	}
}

static void print_remedy(const struct report *report)
{
	bool load = false, irqsoff = false, beyond = false;
	size_t i;

	for (i = 0; i < report->nr; i++) {
		const struct finding *finding = &report->finding[i];

		if (finding->verdict != EXPOSED)
			continue;
		load |= !report->guard.loaded;
		beyond |= *finding->danger.in_spite && report->guard.loaded;
		/* defer=auto knows a scheduler of sched_ext, and nothing else of the kind. */
		irqsoff |= finding->prog->worst->context == IN_IRQSOFF &&
			   (report->guard.loaded || finding->prog->worst->kind != AT_STRUCT_OPS);
	}
	if (!load && !irqsoff && !beyond)
		return;
	out_tone(TONE_HEAD, "\nWhat to do:\n");
	if (load)
		puts("  Load the guard: modprobe kptr_nmi_guard. If there is no such module,\n"
		     "  kptr-nmi-guard doctor says what is missing.");
	if (irqsoff)
		puts("  For programs with interrupts off, load it with this line in\n"
		     "  /etc/modprobe.d/kptr-nmi-guard.conf: options kptr_nmi_guard defer=irqsoff");
	if (beyond)
		puts("  What hangs in spite of the guard: detach that program, or have it changed.");
}

void exposure_print(const struct report *report)
{
	print_verdict(report);
	print_programs(report);
	print_maps(report);
	print_remedy(report);
	out_unseen();
}
