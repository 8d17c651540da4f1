/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loads that return older values, for interleave.c: what the kernel's memory model
 * lets happen to the pool's words, which are each stack's head and pushed, and total.
 *
 * Each word has a history, the values that it had in this run. Each CPU has a view: for
 * each word the oldest value that it may still see. A load returns any value from
 * there on, and moves the view on to it. Each value comes with the view that its
 * writer publishes by it:
 *
 *	exchange that succeeds	reads the newest value; takes over its view, and what
 *				all fully ordered operations have seen; publishes all
 *				that its CPU has seen
 *	other store		publishes what its CPU had seen at its last full
 *				barrier, and what the value before published
 *	smp_rmb()		takes over the views of all values that were loaded
 *
 * So a load that returns a new value says nothing of other words, until there is a
 * barrier. Players of one CPU share its view. Loads of other memory return the
 * newest value: they depend on the address that a load returned, or their order does
 * not matter here. (After Kang et al., "A promising semantics for relaxed-memory
 * concurrency", POPL 2017, without the promises.)
 */
#ifndef SELFTESTS_HOST_WEAK_H
#define SELFTESTS_HOST_WEAK_H

#include <stdbool.h>
#include <stdint.h>

#define WEAK_WORDS	9
#define WEAK_HISTORY	48
#define WEAK_CPUS	4

struct weak_view {
	unsigned char oldest[WEAK_WORDS];
};

struct weak_word {
	const void *address;
	int nr;
	int64_t value[WEAK_HISTORY];
	struct weak_view published[WEAK_HISTORY];
};

struct weak_cpu {
	struct weak_view seen;		/* what loads may return */
	struct weak_view loaded;	/* what smp_rmb() adds to that */
	struct weak_view barrier;	/* seen at the last full barrier */
};

static struct weak_word weak_words[WEAK_WORDS];
static struct weak_cpu weak_cpus[WEAK_CPUS];
static struct weak_view weak_ordered;	/* what fully ordered operations have seen */
static int weak_nr_words;
static int weak_left;			/* older values that this run may still return */
static unsigned long weak_loads;	/* that returned one */

static void weak_join(struct weak_view *view, const struct weak_view *other)
{
	int i;

	for (i = 0; i < weak_nr_words; i++)
		if (view->oldest[i] < other->oldest[i])
			view->oldest[i] = other->oldest[i];
}

static void weak_begin(int older)
{
	memset(weak_cpus, 0, sizeof(weak_cpus));
	memset(&weak_ordered, 0, sizeof(weak_ordered));
	weak_nr_words = 0;
	weak_left = older;
}

static void weak_add(const void *address, int64_t value)
{
	struct weak_word *word = &weak_words[weak_nr_words++];

	word->address = address;
	word->nr = 1;
	word->value[0] = value;
	memset(&word->published[0], 0, sizeof(word->published[0]));
}

static int weak_find(const void *address)
{
	int i;

	for (i = 0; i < weak_nr_words; i++)
		if (weak_words[i].address == address)
			return i;
	return -1;
}

/* How many values could a load return? */
static int weak_choices(const struct weak_cpu *cpu, int i)
{
	return weak_left > 0 ? weak_words[i].nr - cpu->seen.oldest[i] : 1;
}

/* @back: 0 for the newest value, 1 for the one before... */
static int64_t weak_loaded(struct weak_cpu *cpu, int i, int back)
{
	int at = weak_words[i].nr - 1 - back;

	if (back) {
		weak_left--;
		weak_loads++;
	}
	cpu->seen.oldest[i] = at;
	weak_join(&cpu->loaded, &weak_words[i].published[at]);
	return weak_words[i].value[at];
}

/* False if the history is full. */
static bool weak_stored(struct weak_cpu *cpu, int i, int64_t value, bool full)
{
	struct weak_word *word = &weak_words[i];
	struct weak_view *published = &word->published[word->nr];

	if (word->nr == WEAK_HISTORY)
		return false;
	*published = word->published[word->nr - 1];
	word->value[word->nr] = value;
	cpu->seen.oldest[i] = word->nr++;
	if (full) {
		weak_join(&cpu->seen, &cpu->loaded);
		weak_join(&cpu->seen, published);
		weak_join(&cpu->seen, &weak_ordered);
		weak_ordered = cpu->seen;
		cpu->barrier = cpu->seen;
	}
	weak_join(published, &cpu->barrier);
	return true;
}

static void weak_rmb(struct weak_cpu *cpu)
{
	weak_join(&cpu->seen, &cpu->loaded);
}

static void weak_mb(struct weak_cpu *cpu)
{
	weak_rmb(cpu);
	weak_join(&cpu->seen, &weak_ordered);
	weak_ordered = cpu->seen;
	cpu->barrier = cpu->seen;
}

#endif /* SELFTESTS_HOST_WEAK_H */
