// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "soak_world.h"

#define BASE "/sys/fs/cgroup/kng-soak"

static pid_t pids[SOAK_OBJECTS];
static __u64 cgroups[SOAK_OBJECTS];

static pid_t task_make(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		close_range(3, ~0U, 0); /* the maps are not to live on in it */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

static void task_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static __u64 cgroup_make(const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) || stat(path, &st))
		die("%s: %s", path, strerror(errno));
	return st.st_ino;
}

static const char *path_of(unsigned int i)
{
	static char path[64];

	snprintf(path, sizeof(path), BASE "/%u", i);
	return path;
}

void world_make(void)
{
	unsigned int i;

	cgroup_make(BASE);
	for (i = 0; i < SOAK_OBJECTS; i++) {
		pids[i] = task_make();
		cgroups[i] = cgroup_make(path_of(i));
	}
}

void world_show(struct soak_ctl *ctl)
{
	unsigned int i;

	for (i = 0; i < SOAK_OBJECTS; i++) {
		ctl->pid[i] = pids[i];
		ctl->cgroup[i] = cgroups[i];
	}
}

void world_replace_task(struct soak_ctl *ctl, unsigned int i)
{
	pid_t old = pids[i];

	pids[i] = task_make();
	ctl->pid[i] = pids[i];
	task_end(old);
}

void world_pass_cgroup(void (*use)(void *arg, __u64 id), void *arg)
{
	const char *path = path_of(SOAK_OBJECTS);

	use(arg, cgroup_make(path));
	if (rmdir(path))
		die("rmdir %s: %s", path, strerror(errno));
}

void world_end(void)
{
	unsigned int i;

	for (i = 0; i < SOAK_OBJECTS; i++) {
		task_end(pids[i]);
		rmdir(path_of(i));
	}
	rmdir(BASE);
}
