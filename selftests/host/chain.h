/* SPDX-License-Identifier: GPL-2.0-only */
/* Jobs linked by ->next, given back at once. */
#ifndef SELFTESTS_HOST_CHAIN_H
#define SELFTESTS_HOST_CHAIN_H

#include <kng_pool.h>

static inline void push_chain(struct kng_pool *pool, struct kng_job *first,
			      struct kng_job *last, u32 nr)
{
	struct kng_chain chain = { &last->next, first->index, nr };

	kng_pool_push_chain(pool, &chain);
}

static inline void chain_add(struct kng_chain *chain, struct kng_job *job)
{
	chain->end = kng_pool_chain(chain->end, job);
	chain->nr++;
}

/* All that are held, as one chain. */
static inline void push_held(struct kng_pool *pool, struct kng_job **held, int nr)
{
	struct kng_chain all = KNG_EMPTY_CHAIN(all);

	while (nr--)
		chain_add(&all, held[nr]);
	kng_pool_push_chain(pool, &all);
}

#endif /* SELFTESTS_HOST_CHAIN_H */
