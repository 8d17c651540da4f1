// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "hog.h"

#define TEST_PRIORITY 50
#define HOG_PRIORITY 40

static pid_t hog;

static void become_realtime(int policy, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	if (sched_setscheduler(0, policy, &param))
		die("no real-time priority: %s", strerror(errno));
}

/* Else the kernel gives ordinary tasks a share all the same. */
static void no_share(void)
{
	const char *server = DEBUGFS "sched/fair_server/cpu0/runtime";

	if (file_write("/proc/sys/kernel/sched_rt_runtime_us", "-1"))
		die("real-time tasks can't be unbounded");
	if (!access(server, W_OK) && file_write(server, "0"))
		die("the fair server does not stop");
}

void hog_begin(void)
{
	no_share();
	become_realtime(SCHED_FIFO, TEST_PRIORITY);
	hog = fork();
	if (hog < 0)
		die("fork: %s", strerror(errno));
	if (hog)
		return;
	become_realtime(SCHED_FIFO, HOG_PRIORITY);
	for (;;)
		;
}

void hog_end(void)
{
	long long waiting = guard_count("pending");

	tap_ok(waiting > 0, "%lld destructors wait for a worker", waiting);
	kill(hog, SIGKILL);
	waitpid(hog, NULL, 0);
	become_realtime(SCHED_OTHER, 0);
}
