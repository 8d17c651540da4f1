// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tag, by which a pop that stalled sees that the head is not the one it
 * loaded (aba.c): each pop moves it on by one, it wraps, and all of its bits count.
 */
#define MAX_JOBS	8
#include "replay.h"

#define TAG_BITS	(64 - KNG_INDEX_BITS)

static u64 tag(void)
{
	return (u64)atomic64_read(&pool.stack[0].head) >> KNG_INDEX_BITS;
}

static void set_tag(u64 to)
{
	u64 moved = to - tag();
	u64 head = (u64)atomic64_read(&pool.stack[0].head) & KNG_INDEX_MASK;

	atomic64_set(&pool.stack[0].head, head | to << KNG_INDEX_BITS);
	/* As if each of these pops had been followed by a push. */
	atomic64_add(moved, &pool.stack[0].pushed);
}

static u64 tag_at_stall, tag_distance;

static void steal_aba_at_distance(void)
{
	steal_aba();
	set_tag(tag_at_stall + tag_distance);
}

static bool replay_distance(u64 from, u64 distance)
{
	start(&ours, 3);
	set_tag(from);
	tag_at_stall = from;
	tag_distance = distance;
	thief = steal_aba_at_distance;
	hook = as_nmi;
	pop();
	return intact();
}

static void test_tag(void)
{
	const u64 last = (1ULL << TAG_BITS) - 1;
	static const u64 pops = 5;
	struct kng_job *job;
	bool good = true;
	u64 from, i;

	start(&ours, 2);
	for (i = 0; i < 1000; i++) {
		job = pop();
		good &= tag() == i + 1;
		push(job);
		good &= tag() == i + 1;
	}
	tap_ok(good && intact(), "a pop moves the tag on by one, a push leaves it");

	for (from = last - pops + 1; from; from = from == last ? 0 : from + 1) {
		start(&ours, 3);
		set_tag(from);
		good = true;
		for (i = 1; i <= pops; i++) {
			job = pop();
			good &= tag() == ((from + i) & last);
			push(job);
			good &= tag() == ((from + i) & last);
		}
		tap_ok(good && intact(), "the tag wraps from 2^40 - %llu to %llu, the index does not notice",
		       (unsigned long long)(last + 1 - from),
		       (unsigned long long)((from + pops) & last));
	}

	for (from = last - 3; from; from = from == last ? 0 : from + 1) {
		start(&ours, 8);
		set_tag(from);
		thief = steal_aba;
		hook = as_nmi;
		pop();
		good = intact();
		tap_ok(good && replayed, "ABA while the tag wraps from 2^40 - %llu: not ours (%s)",
		       (unsigned long long)(last + 1 - from), why);
	}

	good = true;
	for (i = 0; i < TAG_BITS; i++)
		good &= replay_distance(0, 1ULL << i) && replayed &&
			replay_distance(last, 1ULL << i) && replayed;
	tap_ok(good, "ABA 2^0, 2^1, ... 2^39 pops later: all bits of the tag count");

	good = replay_distance(7, 0);
	tap_ok(!good && replayed, "ABA exactly 2^40 pops later (the tag set back by hand) does break ours (%s): the limit is the documented one",
	       why);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv);
	test_tag();
	return tap_done();
}
