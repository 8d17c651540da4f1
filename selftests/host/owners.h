/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who owns which job. That is noted in a word that is exchanged without ordering,
 * and the job's plain fields are written and read by each owner: if the pool does
 * not order one owner after the other, TSan says so.
 *
 * The including file has defined MAX_INDEX, which no job reaches.
 */
#ifndef SELFTESTS_HOST_OWNERS_H
#define SELFTESTS_HOST_OWNERS_H

#include <kng_pool.h>

#include "tap.h"

#define NOBODY		0	/* threads are 1 to 127 */
#define OWNER_NMI	0x80	/* a signal handler of that thread */

static int owner[MAX_INDEX];
static int wrong;

static void complain(const char *what, u32 index)
{
	if (!__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED))
		tap_diag("%s: job %u of slot %u", what, index & (KNG_CHUNK_JOBS - 1),
			 index >> KNG_CHUNK_SHIFT);
}

static void *token(struct kng_job *job, int who)
{
	return (void *)((uintptr_t)job->index << 12 | who);
}

static void own(struct kng_job *job, int who)
{
	if (__atomic_exchange_n(&owner[job->index], who, __ATOMIC_RELAXED) != NOBODY)
		complain("pop took a job that is in use", job->index);
	job->obj = token(job, who);
	job->dtor = who;
}

static void disown(struct kng_job *job, int who)
{
	if (job->obj != token(job, who) || job->dtor != who)
		complain("somebody wrote to a job that is in use", job->index);
	if (__atomic_exchange_n(&owner[job->index], NOBODY, __ATOMIC_RELAXED) != who)
		complain("push of a job that another owns", job->index);
}

/* Back go the jobs that @who queued, as the module's worker does. Returns how many. */
static int drain_pending(struct kng_pool *pool, struct llist_head *pending, int who)
{
	struct llist_node *node = llist_del_all(pending);
	int nr = 0;

	while (node) {
		struct kng_job *job = (void *)((char *)node -
					       offsetof(struct kng_job, node));

		node = node->next;
		disown(job, who);
		kng_pool_push(pool, job);
		nr++;
	}
	return nr;
}

#endif /* SELFTESTS_HOST_OWNERS_H */
