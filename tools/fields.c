// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks the type of a map's value as the kernel's btf_parse_fields() does: a kptr is a
 * pointer whose pointee carries the type tag "kptr" or "percpu_kptr"; a list or a
 * tree names what it contains in a declaration tag.
 */
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>

#include "fields.h"
#include "kernel.h"

/* Objects can lead to objects, in a circle too. */
#define MAX_DEPTH 6

static void walk(const struct btf *btf, __u32 id, const char *path, int depth,
		 struct fields *fields);

static const char *name_of(const struct btf *btf, const struct btf_type *t)
{
	return btf__name_by_offset(btf, t->name_off) ?: "";
}

static void add(struct fields *fields, enum field_kind kind, const char *path, const char *type)
{
	const unsigned int room = sizeof(fields->field) / sizeof(*fields->field);
	struct field *field;
	unsigned int i;

	for (i = 0; i < fields->nr; i++)
		if (!strcmp(fields->field[i].path, path))
			return;
	if (fields->nr == room) {
		fields->more = true;
		return;
	}
	field = &fields->field[fields->nr++];
	field->kind = kind;
	snprintf(field->path, sizeof(field->path), "%s", path);
	snprintf(field->type, sizeof(field->type), "%s", type);
}

/* Past const, volatile, typedef and type tags; the tag met on the way goes to @tag. */
static __u32 skip(const struct btf *btf, __u32 id, const char **tag)
{
	const struct btf_type *t;

	while ((t = btf__type_by_id(btf, id)) &&
	       (btf_is_mod(t) || btf_is_typedef(t) || btf_is_type_tag(t))) {
		if (tag && btf_is_type_tag(t))
			*tag = name_of(btf, t);
		id = t->type;
	}
	return id;
}

static void walk_pointer(const struct btf *btf, const struct btf_type *t, const char *path,
			 int depth, struct fields *fields)
{
	const char *tag = NULL, *name;
	__u32 id = skip(btf, t->type, &tag);
	const struct btf_type *pointee = btf__type_by_id(btf, id);
	char inner[96];

	if (!tag || !pointee)
		return;
	name = name_of(btf, pointee);
	if (!strcmp(tag, "percpu_kptr")) {
		add(fields, FIELD_PERCPU, path, name);
	} else if (!strcmp(tag, "kptr")) {
		if (kernel_has_struct(name)) {
			add(fields, FIELD_KPTR, path, name);
			return;
		}
		add(fields, FIELD_OBJECT, path, name);
		snprintf(inner, sizeof(inner), "%s->", path);
		walk(btf, id, inner, depth + 1, fields);
	}
}

/* "contains:TYPE:MEMBER" on member @index of struct @id */
static void walk_contained(const struct btf *btf, __u32 id, int index, enum field_kind kind,
			   const char *path, int depth, struct fields *fields)
{
	__u32 n = btf__type_cnt(btf), i;
	const char *tag, *end;
	char type[64], inner[96];
	int found;

	for (i = 1; i < n; i++) {
		const struct btf_type *t = btf__type_by_id(btf, i);

		if (!btf_is_decl_tag(t) || t->type != id ||
		    btf_decl_tag(t)->component_idx != index)
			continue;
		tag = name_of(btf, t);
		end = strncmp(tag, "contains:", 9) ? NULL : strchr(tag + 9, ':');
		if (!end)
			continue;
		snprintf(type, sizeof(type), "%.*s", (int)(end - tag - 9), tag + 9);
		add(fields, kind, path, type);
		found = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);
		snprintf(inner, sizeof(inner), "%s->", path);
		if (found > 0)
			walk(btf, found, inner, depth + 1, fields);
		return;
	}
}

static void walk_member(const struct btf *btf, __u32 id, int index, const char *path, int depth,
			struct fields *fields)
{
	const struct btf_member *m = btf_members(btf__type_by_id(btf, id)) + index;
	const struct btf_type *t = btf__type_by_id(btf, skip(btf, m->type, NULL));
	const char *type = t && btf_is_struct(t) ? name_of(btf, t) : "";
	char inner[96];

	snprintf(inner, sizeof(inner), "%s%s%s", path, *path && path[strlen(path) - 1] == '>' ?
		 "" : ".", btf__name_by_offset(btf, m->name_off) ?: "");
	if (!strcmp(type, "bpf_list_head"))
		walk_contained(btf, id, index, FIELD_LIST, inner, depth, fields);
	else if (!strcmp(type, "bpf_rb_root"))
		walk_contained(btf, id, index, FIELD_TREE, inner, depth, fields);
	else if (!strcmp(type, "bpf_timer"))
		add(fields, FIELD_TIMER, inner, type);
	else if (!strcmp(type, "bpf_wq") || !strcmp(type, "bpf_task_work"))
		add(fields, FIELD_WORK, inner, type);
	else
		walk(btf, m->type, inner, depth, fields);
}

static void walk(const struct btf *btf, __u32 id, const char *path, int depth,
		 struct fields *fields)
{
	const struct btf_type *t;
	char inner[96];
	int i;

	id = skip(btf, id, NULL);
	t = btf__type_by_id(btf, id);
	if (!t || depth > MAX_DEPTH)
		return;
	if (btf_is_ptr(t)) {
		walk_pointer(btf, t, path, depth, fields);
	} else if (btf_is_array(t)) {
		snprintf(inner, sizeof(inner), "%s[%u]", path, btf_array(t)->nelems);
		walk(btf, btf_array(t)->type, inner, depth, fields);
	} else if (btf_is_composite(t)) {
		for (i = 0; i < btf_vlen(t); i++)
			walk_member(btf, id, i, path, depth, fields);
	}
}

void fields_of(const struct btf *btf, __u32 type, struct fields *fields)
{
	*fields = (struct fields){ 0 };
	walk(btf, type, "", 0, fields);
}

bool fields_own(const struct fields *fields)
{
	unsigned int i;

	for (i = 0; i < fields->nr; i++)
		if (fields->field[i].kind == FIELD_KPTR)
			return true;
	return fields->more;
}

const char *field_kind_name(enum field_kind kind)
{
	static const char * const names[] = {
		[FIELD_KPTR] = "kptr", [FIELD_OBJECT] = "object", [FIELD_PERCPU] = "percpu",
		[FIELD_LIST] = "list", [FIELD_TREE] = "tree", [FIELD_TIMER] = "timer",
		[FIELD_WORK] = "work",
	};

	return names[kind];
}
