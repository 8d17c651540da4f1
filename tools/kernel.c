// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "kernel.h"
#include "out.h"

static struct symbol {
	__u64 address;
	char name[64];
} *symbols;
static size_t nr_symbols;

/* Calls @see for each line of /proc/kallsyms until it returns true. */
static void each_symbol(bool (*see)(__u64 address, const char *name, void *arg), void *arg)
{
	unsigned long long address;
	char line[768], name[512];
	FILE *file = fopen("/proc/kallsyms", "r");

	if (!file) {
		out_note_unseen("the kernel's symbols: no /proc/kallsyms");
		return;
	}
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%llx %*c %511s", &address, name) == 2 &&
		    see(address, name, arg))
			break;
	fclose(file);
}

static bool see_features(__u64 address, const char *name, void *arg)
{
	struct kernel *kernel = arg;

	if (!strcmp(name, "__bpf_call_base"))
		kernel->call_base = address;
	else if (!strcmp(name, "bpf_obj_free_fields"))
		kernel->frees_fields = true;
	else if (!strcmp(name, "bpf_obj_cancel_fields"))
		kernel->cancels = true;
	return false;
}

const struct kernel *kernel_get(void)
{
	static struct kernel kernel;
	static bool known;

	if (known)
		return &kernel;
	known = true;
	kernel.btf = btf__load_vmlinux_btf();
	if (!kernel.btf)
		out_note_unseen("the kernel's types: no /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)");
	each_symbol(see_features, &kernel);
	return &kernel;
}

static struct btf *load_object(__u32 id, struct bpf_btf_info *info, char *name, __u32 size)
{
	struct bpf_btf_info empty = { 0 };
	__u32 len = sizeof(*info);
	int fd = bpf_btf_get_fd_by_id(id);

	*info = empty;
	info->name = (unsigned long)name;
	info->name_len = size;
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, info, &len)) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	close(fd);
	if (!info->kernel_btf || !strcmp(name, "vmlinux"))
		return NULL;
	return btf__load_from_kernel_by_id_split(id, kernel_get()->btf);
}

bool kernel_has_struct(const char *name)
{
	struct bpf_btf_info info;
	char object[64];
	struct btf *btf;
	bool found;
	__u32 id = 0;

	if (!kernel_get()->btf)
		return true;	/* the careful answer: it may own a reference */
	if (btf__find_by_name_kind(kernel_get()->btf, name, BTF_KIND_STRUCT) > 0)
		return true;
	while (!bpf_btf_get_next_id(id, &id)) {
		btf = load_object(id, &info, object, sizeof(object));
		if (!btf)
			continue;
		found = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT) > 0;
		btf__free(btf);
		if (found)
			return true;
	}
	return false;
}

static const char *copy_name(const struct btf *btf, __u32 type, char *name, unsigned int size,
			     int *kind)
{
	const struct btf_type *t = btf__type_by_id(btf, type);

	if (!t)
		return NULL;
	*kind = btf_kind(t);
	snprintf(name, size, "%s", btf__name_by_offset(btf, t->name_off) ?: "");
	return name;
}

const char *kernel_type_name(__u32 object, __u32 type, char *name, unsigned int size, int *kind)
{
	struct bpf_btf_info info;
	char module[64];
	const char *found;
	struct btf *btf = load_object(object, &info, module, sizeof(module));

	if (!btf)
		return kernel_get()->btf ?
		       copy_name(kernel_get()->btf, type, name, size, kind) : NULL;
	found = copy_name(btf, type, name, size, kind);
	btf__free(btf);
	return found;
}

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static struct symbol *find(__u64 address)
{
	struct symbol key = { .address = address };

	return bsearch(&key, symbols, nr_symbols, sizeof(*symbols), by_address);
}

void symbol_want(__u64 address)
{
	size_t i;

	for (i = 0; i < nr_symbols; i++)
		if (symbols[i].address == address)
			return;
	symbols = xrealloc(symbols, nr_symbols + 1, sizeof(*symbols));
	symbols[nr_symbols++] = (struct symbol){ .address = address };
}

static bool see_wanted(__u64 address, const char *name, void *arg)
{
	struct symbol *symbol = find(address);

	/* An address may have several names: the first will do. */
	if (symbol && !*symbol->name)
		snprintf(symbol->name, sizeof(symbol->name), "%s", name);
	return false;
}

void symbols_find(void)
{
	if (!nr_symbols)
		return;
	qsort(symbols, nr_symbols, sizeof(*symbols), by_address);
	each_symbol(see_wanted, NULL);
}

const char *symbol_name(__u64 address)
{
	struct symbol *symbol = find(address);

	return symbol && *symbol->name ? symbol->name : NULL;
}

struct wanted_name {
	const char *name;
	__u64 address;
};

static bool see_name(__u64 address, const char *name, void *arg)
{
	struct wanted_name *wanted = arg;

	if (strcmp(name, wanted->name))
		return false;
	wanted->address = address;
	return true;
}

__u64 symbol_address(const char *name)
{
	struct wanted_name wanted = { .name = name };

	each_symbol(see_name, &wanted);
	return wanted.address;
}
