/* SPDX-License-Identifier: GPL-2.0-only */
/* What has to be known of the running kernel: its types and its symbols. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>
#include <linux/types.h>

struct btf;

struct kernel {
	struct btf *btf;	/* of vmlinux; NULL if it can't be read */
	__u64 call_base;	/* helpers and kfuncs are called relative to it; 0: not shown */
	bool frees_fields;	/* has bpf_obj_free_fields(): maps call destructors */
	bool cancels;		/* has bpf_obj_cancel_fields(): not in NMI, since some 7.1 */
};

/* Reads it once; the answer lives as long as the program. */
const struct kernel *kernel_get(void);

/* Is there a type of that name, in the kernel or in one of its modules? */
bool kernel_has_struct(const char *name);

/* The name of BTF type @type of the kernel's or a module's BTF object @object. */
const char *kernel_type_name(__u32 object, __u32 type, char *name, unsigned int size, int *kind);

/*
 * Names of addresses: want them all first, then one look at /proc/kallsyms finds
 * them. symbol_name() is NULL for what it does not know.
 */
void symbol_want(__u64 address);
void symbols_find(void);
const char *symbol_name(__u64 address);
__u64 symbol_address(const char *name);

#endif /* KERNEL_H */
