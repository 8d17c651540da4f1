// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "guard.h"
#include "out.h"
#include "owners.h"

static struct owner {
	enum owned kind;
	__u32 id;
	int pid;
} *owners;
static size_t nr_owners;

static void add(enum owned kind, __u32 id, int pid)
{
	size_t i;

	for (i = 0; i < nr_owners; i++)
		if (owners[i].kind == kind && owners[i].id == id && owners[i].pid == pid)
			return;
	owners = xrealloc(owners, nr_owners + 1, sizeof(*owners));
	owners[nr_owners++] = (struct owner){ kind, id, pid };
}

/* fdinfo of a map has its map_id; of a program and of a link, prog_id. */
static void read_fdinfo(int pid, const char *fd)
{
	char path[PATH_MAX], line[256];
	FILE *file;
	__u32 id;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, fd);
	file = fopen(path, "r");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "map_id: %u", &id) == 1)
			add(OWNED_MAP, id, pid);
		else if (sscanf(line, "prog_id: %u", &id) == 1)
			add(OWNED_PROG, id, pid);
	}
	fclose(file);
}

static void query_perf_event(struct places *places, int pid, int fd)
{
	__u32 prog, type, len;
	__u64 offset, address;
	char name[96] = "";

	len = sizeof(name);
	if (bpf_task_fd_query(pid, fd, 0, name, &len, &prog, &type, &offset, &address))
		return;
	add(OWNED_PROG, prog, pid);
	if (type == BPF_FD_TYPE_TRACEPOINT)
		places_add(places, prog, AT_TRACEPOINT, name, -1);
	else if (type == BPF_FD_TYPE_KPROBE || type == BPF_FD_TYPE_KRETPROBE)
		places_add(places, prog, AT_KPROBE, name, offset);
}

static void read_process(struct places *places, int pid)
{
	char dir_path[64], path[PATH_MAX], target[64];
	struct dirent *entry;
	ssize_t len;
	DIR *dir;

	snprintf(dir_path, sizeof(dir_path), "/proc/%d/fd", pid);
	dir = opendir(dir_path);
	if (!dir) {
		if (errno == EACCES || errno == EPERM)
			out_note_unseen("owners of maps and programs: run as root, in the host's pid namespace");
		return;
	}
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", dir_path, entry->d_name);
		len = readlink(path, target, sizeof(target) - 1);
		if (len <= 0)
			continue;
		target[len] = '\0';
		if (strstr(target, "bpf-map") || strstr(target, "bpf-prog") ||
		    strstr(target, "bpf_link") || strstr(target, "bpf-link"))
			read_fdinfo(pid, entry->d_name);
		else if (strstr(target, "[perf_event]"))
			query_perf_event(places, pid, atoi(entry->d_name));
	}
	closedir(dir);
}

void owners_read(struct places *places)
{
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	if (!dir) {
		out_note_unseen("owners of maps and programs: no /proc");
		return;
	}
	while ((entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) && atoi(entry->d_name) != getpid())
			read_process(places, atoi(entry->d_name));
	closedir(dir);
}

json_t *owners_of(enum owned kind, __u32 id)
{
	char path[64], comm[32];
	json_t *list = json_array(), *owner;
	size_t i;

	for (i = 0; i < nr_owners; i++) {
		if (owners[i].kind != kind || owners[i].id != id)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/comm", owners[i].pid);
		owner = json_object();
		json_put(owner, "pid", json_integer(owners[i].pid));
		json_put(owner, "comm", json_string(read_line(path, comm, sizeof(comm)) ?
						    comm : "?"));
		json_array_append_new(list, owner);
	}
	return list;
}
