/* SPDX-License-Identifier: GPL-2.0-only */
/* Jobs linked by ->next, given back at once, as kng_resize_add() does with new ones. */
#ifndef SELFTESTS_HOST_CHAIN_H
#define SELFTESTS_HOST_CHAIN_H

#include <kng_pool.h>

static inline void push_chain(struct kng_pool *pool, struct kng_job *first,
			      struct kng_job *last, u32 nr)
{
	__kng_stack_push(__kng_pool_own(pool), first, last, nr);
}

/* All that are held, as one chain. */
static inline void push_held(struct kng_pool *pool, struct kng_job **held, int nr)
{
	int i;

	for (i = 0; i + 1 < nr; i++)
		WRITE_ONCE(held[i]->next, held[i + 1]->index);
	push_chain(pool, held[0], held[nr - 1], nr);
}

#endif /* SELFTESTS_HOST_CHAIN_H */
