// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "common.h"
#include "exercise.h"
#include "soak_memory.h"

/* What differs from one time to the next, and what has to stand out from it. */
#define SPARE_KB 4096
#define HOARD 100000
#define HOARD_BYTES 64

void memory_go_to(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("CPU %u: %s", cpu, strerror(errno));
}

/* Slabs, per-CPU memory and vmalloc, in KiB. */
static long long needed(void)
{
	return file_number("/proc/meminfo", "Slab") +
	       file_number("/proc/meminfo", "Percpu") +
	       file_number("/proc/meminfo", "VmallocUsed");
}

/* Slabs keep empty pages for the next time. */
static void shrink_slabs(void)
{
	static glob_t caches;
	size_t i;

	if (!caches.gl_pathc && glob("/sys/kernel/slab/*/shrink", 0, NULL, &caches))
		return;
	for (i = 0; i < caches.gl_pathc; i++)
		file_write(caches.gl_pathv[i], "1");
}

static long long settled(void)
{
	struct timespec tick = { .tv_nsec = 300000000 };

	nanosleep(&tick, NULL);
	file_write("/proc/sys/vm/drop_caches", "7"); /* 4: and do not say so */
	shrink_slabs();
	return needed();
}

static void stir(const struct memory *memory)
{
	struct timespec tick = { .tv_nsec = 50000000 };
	cpu_set_t all;
	unsigned int i;

	sched_getaffinity(0, sizeof(all), &all);
	for (i = 0; i < 4 * memory->cpus; i++) {
		memory_go_to(i % memory->cpus);
		exercise_call(memory->stir, 0, 0);
		nanosleep(&tick, NULL);
	}
	sched_setaffinity(0, sizeof(all), &all);
}

/* What the kernel needs once it has stopped to give things back. */
static long long kernel_kb(const struct memory *memory)
{
	long long least = LLONG_MAX, now;
	int quiet = 0;

	while (quiet < 2) {
		stir(memory);
		now = settled();
		quiet = now < least - SPARE_KB / 32 ? 0 : quiet + 1;
		least = now < least ? now : least;
	}
	return least;
}

void memory_begin(struct memory *memory, int stir_prog, unsigned int cpus)
{
	long long before, more;
	int fd;

	memory->stir = stir_prog;
	memory->cpus = cpus;
	before = kernel_kb(memory);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "hoard", 4, HOARD_BYTES, HOARD,
			    NULL);
	more = kernel_kb(memory);
	close(fd);
	memory->before = kernel_kb(memory);
	if (before < memory->before)
		memory->before = before;
	tap_ok(fd >= 0 && more - memory->before > SPARE_KB,
	       "%u times %u bytes are seen (%lld KiB)", HOARD, HOARD_BYTES,
	       more - memory->before);
}

static bool as_before(void *arg)
{
	struct memory *memory = arg;

	memory->after = kernel_kb(memory);
	return memory->after <= memory->before + SPARE_KB;
}

void memory_end(struct memory *memory, unsigned int ms)
{
	bool back = wait_until(as_before, memory, ms);

	tap_ok(back, "memory is back: %lld KiB, before %lld", memory->after,
	       memory->before);
}
