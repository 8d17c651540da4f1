/* SPDX-License-Identifier: GPL-2.0-only */
/* What a map's value holds that the kernel has to give back. */
#ifndef FIELDS_H
#define FIELDS_H

#include <stdbool.h>
#include <linux/types.h>

struct btf;

enum field_kind {
	FIELD_KPTR,	/* a reference to a kernel object: has a destructor */
	FIELD_OBJECT,	/* an object of bpf_obj_new() */
	FIELD_PERCPU,	/* a per-CPU object */
	FIELD_LIST,
	FIELD_TREE,
	FIELD_TIMER,
	FIELD_WORK,
};

struct field {
	enum field_kind kind;
	char path[96];
	char type[64];
};

struct fields {
	unsigned int nr;
	struct field field[24];
	bool more;	/* than there was room for */
};

/* What is in a value of @type; objects that it leads to included. */
void fields_of(const struct btf *btf, __u32 type, struct fields *fields);
/* Can such a value own references to kernel objects? */
bool fields_own(const struct fields *fields);
const char *field_kind_name(enum field_kind kind);

#endif /* FIELDS_H */
