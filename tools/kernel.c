// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "kernel.h"
#include "out.h"

struct symbol {
	__u64 address;
	const char *name;
};

/* @symbols: what was asked for; @all: what the kernel has, in its order */
static struct symbol *symbols, *all;
static size_t nr_symbols, nr_all;

/* All of /proc/kallsyms, or NULL. The kernel takes long to make it. */
static char *symbols_text(void)
{
	size_t size = 1 << 20, used = 0, n;
	FILE *file = fopen("/proc/kallsyms", "r");
	char *text = NULL;

	if (!file)
		return NULL;
	do {
		size *= 2;
		text = xrealloc(text, size, 1);
		n = fread(text + used, 1, size - used - 1, file);
		used += n;
	} while (used == size - 1);
	text[used] = '\0';
	fclose(file);
	return text;
}

/* Once. Each line is "ADDRESS TYPE NAME", with the module's name after a tab. */
static void symbols_read(void)
{
	static bool known;
	char *line, *end, *next;
	size_t room = 0;

	if (known)
		return;
	known = true;
	line = symbols_text();
	if (!line)
		out_note_unseen("the kernel's symbols: no /proc/kallsyms");
	for (; line && *line; line = next) {
		__u64 address = strtoull(line, &end, 16);

		next = strchr(line, '\n');
		next = next ? next + 1 : strchr(line, '\0');
		if (next - end < 4)
			continue;
		end += strlen(" t ");
		line = end + strcspn(end, "\t\n");
		*line = '\0';
		if (nr_all == room) {
			room = room ? 2 * room : 1 << 16;
			all = xrealloc(all, room, sizeof(*all));
		}
		all[nr_all++] = (struct symbol){ .address = address, .name = end };
	}
}

static const struct symbol *symbol_called(const char *name)
{
	size_t i;

	symbols_read();
	for (i = 0; i < nr_all; i++)
		if (!strcmp(all[i].name, name))
			return &all[i];
	return NULL;
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
	kernel.call_base = symbol_address("__bpf_call_base");
	kernel.frees_fields = symbol_called("bpf_obj_free_fields");
	kernel.cancels = symbol_called("bpf_obj_cancel_fields");
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

void symbols_find(void)
{
	struct symbol *symbol;
	size_t i;

	if (!nr_symbols)
		return;
	qsort(symbols, nr_symbols, sizeof(*symbols), by_address);
	symbols_read();
	for (i = 0; i < nr_all; i++) {
		symbol = find(all[i].address);
		/* An address may have several names: the first will do. */
		if (symbol && !symbol->name)
			symbol->name = all[i].name;
	}
}

const char *symbol_name(__u64 address)
{
	struct symbol *symbol = find(address);

	return symbol ? symbol->name : NULL;
}

__u64 symbol_address(const char *name)
{
	const struct symbol *symbol = symbol_called(name);

	return symbol ? symbol->address : 0;
}
