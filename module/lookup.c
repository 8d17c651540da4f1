// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a function of the kernel is.
 */
#include <linux/kprobes.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "lookup.h"

/*
 * kprobes that are never armed: they tell where a function is. To remove one takes a
 * grace period, so those of the module's init are removed together.
 */
#define MAX_LOOKUPS	16

static struct kprobe lookups[MAX_LOOKUPS];
static unsigned int nr_lookups;
static bool keeps_lookups = true;
static DEFINE_MUTEX(lookups_lock);

static void remove_lookups(void)
{
	struct kprobe *all[MAX_LOOKUPS];
	unsigned int i;

	for (i = 0; i < nr_lookups; i++)
		all[i] = &lookups[i];
	if (nr_lookups)
		unregister_kprobes(all, nr_lookups);
	nr_lookups = 0;
}

/*
 * Find the address of a function.
 *
 * ftrace_set_filter() takes names, but it hides an error: if Linux 6.12 has no
 * memory for the matching entry, it returns 0 and leaves the filter empty. An
 * empty filter matches every function of the kernel.
 */
int kng_lookup(const char *function, unsigned long *address)
{
	struct kprobe *kp;
	int ret;

	mutex_lock(&lookups_lock);
	kp = &lookups[nr_lookups];
	memset(kp, 0, sizeof(*kp));
	kp->symbol_name = function;
	kp->flags = KPROBE_FLAG_DISABLED;
	ret = register_kprobe(kp);
	if (!ret) {
		*address = (unsigned long)kp->addr;
		nr_lookups++;
	}
	if (nr_lookups == MAX_LOOKUPS || !keeps_lookups)
		remove_lookups();
	mutex_unlock(&lookups_lock);
	return ret;
}

bool kng_lookup_exists(const char *function)
{
	unsigned long address;

	/* A function that kprobes may not touch exists as well. */
	return kng_lookup(function, &address) != -ENOENT;
}

void kng_lookup_init_done(void)
{
	mutex_lock(&lookups_lock);
	keeps_lookups = false;
	remove_lookups();
	mutex_unlock(&lookups_lock);
}
