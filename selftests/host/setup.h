/* SPDX-License-Identifier: GPL-2.0-only */
/* An empty pool, with memory for its stacks and its table. */
#ifndef SELFTESTS_HOST_SETUP_H
#define SELFTESTS_HOST_SETUP_H

#include <string.h>

#include <kng_resize.h>

#ifndef SETUP_CPUS /* the most that a test plays */
#define SETUP_CPUS	8
#endif
#ifndef SETUP_CHUNKS
#define SETUP_CHUNKS	16
#endif

static struct kng_stack setup_stacks[SETUP_CPUS + 1];
static struct kng_chunk setup_chunks[SETUP_CHUNKS];

static __attribute__((unused)) void setup_pool(struct kng_pool *pool, u32 nr_cpus)
{
	memset(pool, 0, sizeof(*pool));
	memset(setup_stacks, 0, (nr_cpus + 1) * sizeof(setup_stacks[0]));
	memset(setup_chunks, 0, sizeof(setup_chunks));
	kng_pool_init(pool, setup_stacks, nr_cpus, setup_chunks, SETUP_CHUNKS);
}

#endif /* SELFTESTS_HOST_SETUP_H */
