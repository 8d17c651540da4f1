/* SPDX-License-Identifier: GPL-2.0-only */
/* Jobs linked by ->next, given back at once. */
#ifndef SELFTESTS_HOST_CHAIN_H
#define SELFTESTS_HOST_CHAIN_H

#include <kng_pool.h>

static inline void push_chain(struct kng_pool *pool, struct kng_job *first,
			      struct kng_job *last, u32 nr)
{
	struct kng_chain chain = { first, last, nr };

	kng_pool_push_chain(pool, &chain);
}

/* All that are held, as one chain. */
static inline void push_held(struct kng_pool *pool, struct kng_job **held, int nr)
{
	struct kng_chain chain = {};

	while (nr--)
		kng_pool_chain(&chain, held[nr]);
	kng_pool_push_chain(pool, &chain);
}

#endif /* SELFTESTS_HOST_CHAIN_H */
