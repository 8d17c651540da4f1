// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "common.h"
#include "nmi.h"

#define NMI_AT DEBUGFS "kng_nmi_at/"
#define NMI_FIRE DEBUGFS "kng_nmi_fire/"
#define STIR_CGROUP "/sys/fs/cgroup/kng-stir"

/* More RCU callbacks in a jiffy than rcutree.nocb_nobypass_lim_per_jiffy. */
#define STIR_FILES 32

/* Dies unless the module behind @source is loaded. */
void nmi_require(enum source source)
{
	if (source == SOURCE_AT && access(NMI_AT "armed", W_OK))
		die("--source at needs kng_nmi_at.ko");
	if ((source == SOURCE_FIRE || source == SOURCE_STORM) &&
	    access(NMI_FIRE "fire", W_OK))
		die("--source fire and storm need kng_nmi_fire.ko");
}

void nmi_begin(enum source source, unsigned int period_us)
{
	if (source == SOURCE_STORM &&
	    file_write(NMI_FIRE "storm", "%d %u", INT_MAX, period_us))
		die("the storm does not start");
}

/*
 * Ordinary system life that passes the usual places: task exit and freed
 * inodes (call_rcu(), in bursts, so that its bypass list fills too), freed
 * maps and cgroups (queue_work()).
 */
static void stir(void)
{
	int i, fd;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	for (i = 0; i < STIR_FILES; i++) {
		fd = memfd_create("stir", 0);
		if (fd >= 0)
			close(fd);
	}
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "stir", 4, 4, 1, NULL);
	if (fd >= 0)
		close(fd);
	if (!mkdir(STIR_CGROUP, 0700))
		rmdir(STIR_CGROUP);
}

/*
 * Has at least one NMI delivered, or makes it likely. Call it until the NMI
 * did what was wanted, or a deadline passed. @stir_too, if there is one, comes
 * first among what the NMI may interrupt.
 */
void nmi_kick(enum source source, void (*stir_too)(void))
{
	struct timespec tick = { .tv_nsec = 1000000 };

	switch (source) {
	case SOURCE_FIRE:
		if (file_write(NMI_FIRE "fire", "1"))
			die("the NMI was not delivered");
		break;
	case SOURCE_AT:
		if (file_number(NMI_AT "armed", NULL) == 0 &&
		    file_write(NMI_AT "armed", "1"))
			die("kng_nmi_at cannot be armed");
		if (stir_too)
			stir_too();
		stir();
		break;
	case SOURCE_STORM:
		nanosleep(&tick, NULL);
		break;
	case SOURCE_BREAK:
		stir();
		break;
	case SOURCE_NONE:
		break;
	}
}

void nmi_end(enum source source)
{
	if (source == SOURCE_STORM)
		file_write(NMI_FIRE "storm", "0 0");
	if (source == SOURCE_AT)
		file_write(NMI_AT "armed", "0");
}

/* NMIs that came too late to be inside the function; -1: does not apply. */
long long nmi_late(enum source source)
{
	return source == SOURCE_AT ? file_number(NMI_AT "late", NULL) : -1;
}
