// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <limits.h>
#include <sched.h>
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
#define OTHER_CPU 1
#define OTHER_CPU_ONLINE "/sys/devices/system/cpu/cpu1/online"
#define STIR_CGROUP "/sys/fs/cgroup/kng-stir"

/* More RCU callbacks in a jiffy than rcutree.nocb_nobypass_lim_per_jiffy. */
#define STIR_FILES 32

/* Dies unless the module behind @source is loaded. */
void nmi_require(enum source source)
{
	if (source == SOURCE_AT && access(NMI_AT "armed", W_OK))
		die("--source at needs kng_nmi_at.ko");
	if ((source == SOURCE_FIRE || source == SOURCE_STORM ||
	     source == SOURCE_CPU || source == SOURCE_HOLD) &&
	    access(NMI_FIRE "fire", W_OK))
		die("--source fire, storm, cpu and hold need kng_nmi_fire.ko");
}

void nmi_begin(enum source source, unsigned int period_us)
{
	if (source == SOURCE_STORM &&
	    file_write(NMI_FIRE "storm", "%d %u", INT_MAX, period_us))
		die("the storm does not start");
	if (source == SOURCE_CPU && file_write(NMI_FIRE "hotplug", "1"))
		die("hotplug sends no NMIs");
}

/* CPU 1 goes, or comes back: takes its NMI on the way. */
static void switch_cpu(void)
{
	static bool off;

	off = !off;
	if (file_write(OTHER_CPU_ONLINE, "%d", !off))
		die("CPU %d does not go %sline", OTHER_CPU, off ? "off" : "on");
}

static pid_t holder;

/* A child takes the NMI, once, on CPU 1. */
static void hold_cpu(void)
{
	cpu_set_t cpus;

	if (holder)
		return;
	holder = fork();
	if (holder)
		return;
	CPU_ZERO(&cpus);
	CPU_SET(OTHER_CPU, &cpus);
	_exit(sched_setaffinity(0, sizeof(cpus), &cpus) ||
	      file_write(NMI_FIRE "hold", "12000"));
}

static void hold_end(void)
{
	int status = 0;

	if (holder > 0 && (waitpid(holder, &status, 0) != holder || status))
		die("CPU %d was not held", OTHER_CPU);
	holder = 0;
}

/* Frees inodes: call_rcu(), in bursts, so that its bypass list fills too. */
void nmi_stir_files(void)
{
	int i, fd;

	for (i = 0; i < STIR_FILES; i++) {
		fd = memfd_create("stir", 0);
		if (fd >= 0)
			close(fd);
	}
}

/* Work for the workers of each CPU: the NMI is to find the lock of its own CPU's held. */
void nmi_stir_workers(void)
{
	file_write("/proc/sys/vm/stat_refresh", "1");
}

/*
 * Ordinary system life that passes the usual places: task exit and freed
 * inodes (call_rcu()), freed maps and cgroups (queue_work()).
 */
static void stir(void)
{
	int fd;
	pid_t pid;

	pid = fork();
	if (!pid)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	nmi_stir_files();
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
	case SOURCE_CPU:
		switch_cpu();
		break;
	case SOURCE_HOLD:
		hold_cpu();
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
	if (source == SOURCE_CPU) {
		file_write(NMI_FIRE "hotplug", "0");
		file_write(OTHER_CPU_ONLINE, "1");
	}
	hold_end();
}

/* NMIs that came too late to be inside the function; -1: does not apply. */
long long nmi_late(enum source source)
{
	long long n;

	if (source != SOURCE_AT)
		return -1;
	n = file_number(NMI_AT "late", NULL);
	if (n < 0)
		die("no number in " NMI_AT "late");
	return n;
}
