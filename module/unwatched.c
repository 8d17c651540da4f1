// SPDX-License-Identifier: GPL-2.0-only
/*
 * The maps that can own references, but are not watched for want of memory. A map is
 * tried again each time it gets a file descriptor, so the table keeps which they are.
 * It has a fixed size, because there is no memory just then. Maps that find no place
 * in it are counted each time they are met, and stay in the count.
 */
#include <linux/compiler.h>
#include <linux/kernel.h>

#include "unwatched.h"

static const struct btf_record *unwatched[128];
static unsigned int nr_unwatched;	/* entries in use */
static unsigned int nr_more;		/* maps that found no place */

void kng_unwatched_add(const struct btf_record *rec)
{
	unsigned int i;

	for (i = 0; i < nr_unwatched; i++) {
		if (unwatched[i] == rec)
			return;
	}
	if (nr_unwatched == ARRAY_SIZE(unwatched)) {
		WRITE_ONCE(nr_more, nr_more + 1);
		return;
	}
	unwatched[nr_unwatched] = rec;
	WRITE_ONCE(nr_unwatched, nr_unwatched + 1);
}

void kng_unwatched_del(const struct btf_record *rec)
{
	unsigned int i;

	for (i = 0; i < nr_unwatched; i++) {
		if (unwatched[i] != rec)
			continue;
		unwatched[i] = unwatched[nr_unwatched - 1];
		WRITE_ONCE(nr_unwatched, nr_unwatched - 1);
		return;
	}
}

unsigned int kng_unwatched(void)
{
	return READ_ONCE(nr_unwatched) + READ_ONCE(nr_more);
}
