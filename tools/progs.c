// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "kernel.h"
#include "out.h"
#include "progs.h"

static void add_call(struct prog *prog, __u64 address)
{
	__u32 i;

	for (i = 0; i < prog->nr_calls; i++)
		if (prog->calls[i] == address)
			return;
	prog->calls = xrealloc(prog->calls, prog->nr_calls + 1, sizeof(*prog->calls));
	prog->calls[prog->nr_calls++] = address;
	symbol_want(address);
}

/* In translated programs a call's operand is relative to __bpf_call_base. */
static void read_calls(struct prog *prog, const struct bpf_insn *insns, __u32 count)
{
	__u64 base = kernel_get()->call_base;
	bool shown = base;
	__u32 i;

	for (i = 0; i < count; i++) {
		if (insns[i].code == (BPF_JMP | BPF_CALL) &&
		    insns[i].src_reg != BPF_PSEUDO_CALL) {
			shown &= !!insns[i].imm;
			add_call(prog, base + (__s64)insns[i].imm);
		} else if (insns[i].code == (BPF_STX | BPF_ATOMIC | BPF_DW) &&
			   insns[i].imm == BPF_XCHG) {
			prog->exchanges = true;
		}
	}
	prog->calls_seen = shown && count;
}

/* What tracing and struct_ops programs are attached to is a type of the kernel. */
static void add_own_place(struct places *places, const struct bpf_prog_info *info)
{
	char name[96];
	int kind;

	/* Its link says which event it is; if an ioctl attached it, nothing does. */
	if (info->type == BPF_PROG_TYPE_PERF_EVENT && !places_have(places, info->id))
		places_add(places, info->id, AT_PERF_EVENT, "perf_event", -1);
	if (!info->attach_btf_id ||
	    !kernel_type_name(info->attach_btf_obj_id, info->attach_btf_id, name, sizeof(name),
			      &kind))
		return;
	if (info->type == BPF_PROG_TYPE_STRUCT_OPS)
		places_add(places, info->id, AT_STRUCT_OPS, name, -1);
	else if (kind == BTF_KIND_TYPEDEF && !strncmp(name, "btf_trace_", 10))
		places_add(places, info->id, AT_TRACEPOINT, name + 10, -1);
	else
		places_add(places, info->id, AT_FUNCTION, name, -1);
}

static bool read_more(int fd, struct prog *prog, const struct bpf_prog_info *first)
{
	struct bpf_prog_info info = { 0 };
	struct bpf_insn *insns;
	__u32 len = sizeof(info);
	bool ok;

	prog->nr_maps = first->nr_map_ids;
	prog->maps = xrealloc(NULL, first->nr_map_ids + 1, sizeof(*prog->maps));
	insns = xrealloc(NULL, first->xlated_prog_len + 1, 1);
	info.nr_map_ids = prog->nr_maps;
	info.map_ids = (unsigned long)prog->maps;
	info.xlated_prog_len = first->xlated_prog_len;
	info.xlated_prog_insns = (unsigned long)insns;
	ok = !bpf_obj_get_info_by_fd(fd, &info, &len);
	if (ok && info.xlated_prog_insns)
		read_calls(prog, insns, info.xlated_prog_len / sizeof(*insns));
	if (!ok)
		prog->nr_maps = 0;
	free(insns);
	return ok;
}

static bool read_prog(__u32 id, struct prog *prog, struct places *places)
{
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(id);
	bool ok;

	if (fd < 0)
		return false;	/* gone meanwhile */
	ok = !bpf_obj_get_info_by_fd(fd, &info, &len);
	if (ok) {
		*prog = (struct prog){ .id = id, .type = info.type };
		snprintf(prog->name, sizeof(prog->name), "%s", info.name);
		add_own_place(places, &info);
		ok = read_more(fd, prog, &info);
	}
	close(fd);
	return ok;
}

static const struct place *worst_of(const struct prog *prog, const struct places *places)
{
	const struct place *worst = NULL, *place;
	size_t i;

	for (i = 0; i < places->nr; i++) {
		place = &places->place[i];
		if (place->prog == prog->id && (!worst || place->context > worst->context))
			worst = place;
	}
	return worst;
}

int progs_read(struct progs *progs, struct places *places)
{
	__u32 id = 0;
	size_t i;

	*progs = (struct progs){ 0 };
	errno = 0;
	while (!bpf_prog_get_next_id(id, &id)) {
		progs->prog = xrealloc(progs->prog, progs->nr + 1, sizeof(*progs->prog));
		if (read_prog(id, &progs->prog[progs->nr], places))
			progs->nr++;
	}
	if (errno != ENOENT)
		return -errno;
	symbols_find();
	for (i = 0; i < progs->nr; i++)
		progs->prog[i].worst = worst_of(&progs->prog[i], places);
	return 0;
}

bool prog_uses(const struct prog *prog, __u32 map)
{
	__u32 i;

	for (i = 0; i < prog->nr_maps; i++)
		if (prog->maps[i] == map)
			return true;
	return false;
}

const char *prog_type_name(const struct prog *prog)
{
	return libbpf_bpf_prog_type_str(prog->type) ?: "unknown";
}

const char *prog_call(const struct prog *prog, __u32 i)
{
	return symbol_name(prog->calls[i]);
}
