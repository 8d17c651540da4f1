// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "victims.h"

#define CGROUPFS "/sys/fs/cgroup"

static enum kng_kind kind;
static bool last;
static char base[64];
static unsigned int nr;
static pid_t pids[KNG_SLOTS_MAX];
static __u64 ids[KNG_SLOTS_MAX];
static int leash[2];		/* children live until the write end closes */

/* The id of a cgroup is the inode number of its directory. */
static __u64 cgroup_make(const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) || stat(path, &st))
		die("%s: %s (cgroup2 mounted?)", path, strerror(errno));
	return st.st_ino;
}

static void cgroup_path(char *path, size_t len, unsigned int i)
{
	snprintf(path, len, "%s/%u", base, i);
}

void victims_init(enum kng_kind what, bool short_lived)
{
	kind = what;
	last = short_lived;
	if (kind != KNG_CGROUP)
		return;
	snprintf(base, sizeof(base), CGROUPFS "/kng-%d", getpid());
	ids[0] = cgroup_make(base);
}

static pid_t child_make(void)
{
	pid_t pid = fork();
	char byte;

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		close(leash[1]);
		_exit(read(leash[0], &byte, 1) != 0);
	}
	return pid;
}

/* @n new objects, where they are to be short-lived. */
void victims_make(unsigned int n)
{
	char path[96];
	unsigned int i;

	if (!last || (kind != KNG_TASK && kind != KNG_CGROUP))
		return;
	if (kind == KNG_TASK && pipe(leash))
		die("pipe: %s", strerror(errno));
	for (i = 0; i < n; i++) {
		cgroup_path(path, sizeof(path), i);
		if (kind == KNG_TASK)
			pids[i] = child_make();
		else
			ids[i] = cgroup_make(path);
	}
	nr = n;
}

struct reaping {
	unsigned int next;
};

static bool reaped(void *arg)
{
	struct reaping *r = arg;

	while (r->next < nr) {
		if (waitpid(pids[r->next], NULL, WNOHANG) != pids[r->next])
			return false;
		r->next++;
	}
	return true;
}

/* Ends the short-lived ones: children die and are reaped, cgroups removed. */
void victims_end(unsigned int timeout_ms)
{
	struct reaping r = { 0 };
	char path[96];
	unsigned int i;

	if (kind == KNG_TASK && nr) {
		close(leash[1]);
		if (!wait_until(reaped, &r, timeout_ms))
			die("child %d does not die", pids[r.next]);
		close(leash[0]);
	}
	for (i = 0; kind == KNG_CGROUP && i < nr; i++) {
		cgroup_path(path, sizeof(path), i);
		if (rmdir(path))
			die("rmdir %s: %s", path, strerror(errno));
	}
	nr = 0;
}

/* What bpf_task_from_pid() or bpf_cgroup_from_id() wants for a slot. */
__u64 victim(unsigned int slot)
{
	switch (kind) {
	case KNG_TASK:
		return last ? (__u64)pids[slot] : (__u64)getpid();
	case KNG_CGROUP:
		return last ? ids[slot] : ids[0];
	default:
		return 0;
	}
}

void victims_exit(void)
{
	if (*base)
		rmdir(base);
}

/* Removed cgroups that somebody still refers to; all cgroups of the guest. */
long long victims_dying_cgroups(void)
{
	long long n = file_number(CGROUPFS "/cgroup.stat", "nr_dying_descendants");

	if (n < 0)
		die("no nr_dying_descendants in " CGROUPFS "/cgroup.stat");
	return n;
}
