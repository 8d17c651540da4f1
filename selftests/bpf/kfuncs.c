// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lists the kfuncs and destructors of the running kernel and its loaded modules:
 *
 *   kfuncs			kfunc OWNER NAME FLAGS GROUP,GROUP...
 *				dtor OWNER NAME TYPE
 *   kfuncs --variant drops	only what gives references back: destructors, kfuncs that
 *				release or end an iterator
 *
 * FLAGS in hex (KF_* in the kernel's include/linux/btf.h); a GROUP is one of program
 * types, as in its enum btf_kfunc_hook. Sorted; each function once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "common.h"
#include "kfuncs.h"
#include "kfuncs.skel.h"
#include "options.h"

#define DROPS (KNG_KF_RELEASE | KNG_KF_ITER_DESTROY)

static struct btf *vmlinux;
static char *lines[KNG_KFUNCS_MAX];
static unsigned int nr_lines;

/* The BTF with this id, and what it is the BTF of. Kept for the next question. */
static const struct btf *btf_of(__u32 id, const char **owner)
{
	static struct btf *btf;
	static char name[64];
	static __u32 kept;
	struct bpf_btf_info info = { .name = (unsigned long)name, .name_len = sizeof(name) };
	__u32 len = sizeof(info);
	int fd;

	*owner = name;
	if (id == kept)
		return btf;
	fd = bpf_btf_get_fd_by_id(id);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		die("BTF %u: %s", id, strerror(errno));
	kept = id;
	btf = vmlinux;
	if (strcmp(name, "vmlinux"))
		btf = btf__load_from_kernel_by_id_split(id, vmlinux);
	if (!btf)
		die("BTF of %s: %s", name, strerror(errno));
	return btf;
}

static const char *type_name(const struct btf *btf, __u32 id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);
	const char *name = type ? btf__name_by_offset(btf, type->name_off) : NULL;

	if (!name)
		die("there is no type %u", id);
	return name;
}

/* BTF_KFUNC_HOOK_TRACING: "tracing" */
static const char *group_name(unsigned int hook)
{
	static const char prefix[] = "BTF_KFUNC_HOOK_";
	int id = btf__find_by_name_kind(vmlinux, "btf_kfunc_hook", BTF_KIND_ENUM);
	const struct btf_type *type = btf__type_by_id(vmlinux, id);
	const char *name;
	int i;

	for (i = 0; type && i < btf_vlen(type); i++) {
		if (btf_enum(type)[i].val != (int)hook)
			continue;
		name = btf__name_by_offset(vmlinux, btf_enum(type)[i].name_off);
		if (!strncmp(name, prefix, sizeof(prefix) - 1))
			return name + sizeof(prefix) - 1;
	}
	die("there is no group %u", hook);
}

static bool same(const struct kng_kfunc *a, const struct kng_kfunc *b)
{
	return a->what == b->what && a->btf == b->btf && a->func == b->func;
}

/* The groups of @found[@first], which is the first entry of its function. */
static void groups(char *text, size_t size, const struct kng_kfuncs *out,
		   unsigned int first, __u32 *flags)
{
	const struct kng_kfunc *f = &out->found[first];
	unsigned int i;
	size_t len = 0;

	for (i = first; i < out->nr; i++) {
		if (!same(f, &out->found[i]))
			continue;
		*flags |= out->found[i].flags;
		len += snprintf(text + len, size - len, "%s%s", len ? "," : "",
				group_name(out->found[i].hook));
		if (len >= size)
			die("too many groups");
	}
}

static bool is_first(const struct kng_kfuncs *out, unsigned int i)
{
	unsigned int j;

	for (j = 0; j < i; j++)
		if (same(&out->found[j], &out->found[i]))
			return false;
	return true;
}

static void add_line(const struct kng_kfuncs *out, unsigned int i, bool all)
{
	const struct kng_kfunc *f = &out->found[i];
	const char *owner;
	const struct btf *btf = btf_of(f->btf, &owner);
	char in[512];
	__u32 flags = 0;
	int n;

	if (f->what == KNG_IS_DTOR) {
		n = asprintf(&lines[nr_lines], "dtor %s %s %s", owner,
			     type_name(btf, f->func), type_name(btf, f->flags));
	} else {
		groups(in, sizeof(in), out, i, &flags);
		if (!all && !(flags & DROPS))
			return;
		n = asprintf(&lines[nr_lines], "kfunc %s %s %#x %s", owner,
			     type_name(btf, f->func), flags, in);
	}
	if (n < 0)
		die("no memory");
	nr_lines++;
}

static int order(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv)
{
	struct options opt = { .variant = "all" };
	const struct kng_kfuncs *out;
	struct kfuncs_bpf *skel;
	struct bpf_test_run_opts run = { .sz = sizeof(run) };
	unsigned int i;
	bool all;
	int err;

	options_parse(&opt, argc, argv);
	all = !options_variant(&opt, "all", "drops");
	vmlinux = btf__load_vmlinux_btf();
	if (!vmlinux)
		die("the kernel has no BTF: %s", strerror(errno));
	skel = kfuncs_bpf__open_and_load();
	if (!skel)
		die("the program does not load: %s", strerror(errno));
	err = bpf_prog_test_run_opts(bpf_program__fd(skel->progs.find), &run);
	out = &skel->bss->out;
	if (err || (int)run.retval || out->lost || !out->nr)
		die("the kernel's tables can't be read: %d, %d; %u found, %u lost", err,
		    (int)run.retval, out->nr, out->lost);
	for (i = 0; i < out->nr; i++)
		if (is_first(out, i))
			add_line(out, i, all);
	qsort(lines, nr_lines, sizeof(*lines), order);
	for (i = 0; i < nr_lines; i++)
		puts(lines[i]);
	kfuncs_bpf__destroy(skel);
	return 0;
}
