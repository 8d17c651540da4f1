// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exact reserve: counts what programs put into maps, and refuses what no job
 * can be promised to. (How promises are kept: include/kng_promise.h.)
 *
 * Linux inlines bpf_kptr_xchg() into programs. With bpf_jit_supports_ptr_xchg()
 * saying no, programs that are loaded from then on call it, and get to our
 * replacement. It lets a reference in only if a job is left for it; else the
 * destination stays as it is, and the caller has the new pointer back.
 *
 * What is counted. refs goes up with each pointer that the replacement puts
 * somewhere, and down with each that it takes out, and with each that teardown
 * takes out of a watched map (in NMI and elsewhere: teardown.c).
 *
 * Claim: if no map that an exchange can get at is older than the replacement, refs is
 * at least the number of references in slots of watched maps.
 *   Up: a slot of a map is filled by bpf_kptr_xchg() alone, inline or called. A
 *   program that has it inline was verified before the replacement, with its maps
 *   at hand. An exchange can get at none of those, nor at one that it is asked for
 *   (a map of maps tells by its template). So it is called, and counted first.
 *   Down: what the replacement takes out somebody has put in. It was counted,
 *   unless a program with an inline exchange did it, into an object of
 *   bpf_obj_new(). Objects get from program to program only by maps, and such a
 *   program has none that can have them. What teardown takes out of a watched map
 *   was in a slot of it, hence counted. Teardown of objects is not counted.
 *
 * So errors make refs too large: kptrs to objects count as references to kernel
 * types do; objects are dropped with what is in them; teardown may find a pointer
 * that came after we had looked; kernels with bpf_obj_cancel_fields() empty the
 * elements of hashes by a copy of the record, that no map has. What maps have
 * room for bounds that; it is applied when refs is read. Storage, objects and
 * maps that could not be watched have room for any number. There the parameter
 * floor is reckoned with, as it is without exact: references beyond it are let
 * in without a promise. Else errors would add up until nothing was let in, by
 * any program, for good.
 *
 * If there are older maps, refs means nothing, also later, when they are gone:
 * it is told, but what maps have room for takes its place (bounds()).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/seq_file.h>

#include "exact.h"
#include "hook.h"
#include "kng_promise.h"
#include "maps.h"
#include "offload.h"
#include "params.h"
#include "pool.h"
#include "stats.h"
#include "watch.h"

/*
 * Contexts of a CPU that can be inside of the pool at once: an NMI, a #DB or int3 that it
 * came upon, who has interrupts off, PREEMPT_RT's irq_work thread which that interrupted,
 * and a worker that this thread preempted.
 */
#define CONTEXTS	5

static struct kng_promise promise = { .pool = &kng_pool };
static bool on;
static bool older = true;	/* there are older maps that can own references */

/*
 * Not below what the maps have room for that a program with an inline exchange can
 * reach: all, if there were any, for it may get at later ones by a map of maps.
 * Not above what all maps have room for.
 */
static struct kng_bounds bounds(void)
{
	s64 room = kng_maps_charged();

	if (!on)
		return (struct kng_bounds) {};
	return (struct kng_bounds) {
		.least = older ? room : 0,
		.most = room,
	};
}

static s64 references(void)
{
	s64 refs = atomic64_read(&promise.refs);

	smp_rmb(); /* As in kng_promise.h: the bounds are younger. */
	return kng_promise_clamp(refs, bounds());
}

/* Jobs that one more reference takes, with all that there is. */
static s64 needed(void)
{
	return references() + 1 + kng_pool_in_use() + promise.slack;
}

/* Grow before all is promised. */
bool kng_exact_short(void)
{
	return on && kng_params.shrink && kng_pool_total() < kng_params.max_jobs &&
	       needed() + kng_params.headroom / 2 > atomic64_read(&promise.limit);
}

static bool let_in(void)
{
	if (kng_exact_short())
		kng_offload_poke();
	return kng_promise_take(&promise, bounds);
}

/* In place of bpf_kptr_xchg(). */
static u64 exact_xchg(u64 slot, u64 ptr, u64 r3, u64 r4, u64 r5)
{
	u64 old;

	if (ptr && !let_in()) {
		kng_count(KNG_REFUSED);
		return ptr;
	}
	old = xchg((u64 *)slot, ptr);
	if (old)
		kng_promise_back(&promise);
	return old;
}

/* In place of bpf_jit_supports_ptr_xchg(). */
static bool no_ptr_xchg(void)
{
	return false;
}

static struct kng_hook xchg_hook = {
	.function	= { "bpf_kptr_xchg" },
	.replacement	= (unsigned long)exact_xchg,
	.can_skip	= true,
};

static struct kng_hook inline_hook = {
	.function	= { "bpf_jit_supports_ptr_xchg" },
	.replacement	= (unsigned long)no_ptr_xchg,
	.can_skip	= true,
};

static int replace(struct kng_hook *hook)
{
	int ret = kng_hook_install(hook);

	if (ret)
		pr_err("%s can't be replaced (%d): load with reserve=capacity, or unload what holds it\n",
		       hook->function[0], ret);
	return ret;
}

int kng_exact_init(void)
{
	int ret;

	if (!kng_watch_complete()) {
		pr_err("maps can't be followed: load with reserve=capacity\n");
		return -EOPNOTSUPP;
	}
	/* The sweeper is one more: a task, beside a worker that was preempted. */
	promise.slack = CONTEXTS * num_possible_cpus() + 1;
	WRITE_ONCE(on, true);
	ret = replace(&xchg_hook);
	if (!ret)
		ret = replace(&inline_hook);
	if (ret) {
		kng_exact_exit();
		return ret;
	}
	/* What is seen from now on is not older than the replacement. */
	older = kng_watch_saw_reachable();
	if (older)
		pr_warn("maps that can own kptrs are older than the guard: reserve=exact keeps jobs for all that maps have room for; load it before other users of BPF\n");
	return 0;
}

void kng_exact_exit(void)
{
	kng_hook_remove_for_good(&inline_hook);
	kng_hook_remove_for_good(&xchg_hook);
	WRITE_ONCE(on, false);
}

void kng_exact_gone(const struct btf_record *rec, unsigned int nr)
{
	if (!READ_ONCE(on) || kng_maps_slots(rec) == KNG_SLOTS_UNKNOWN)
		return;
	while (nr--)
		kng_promise_back(&promise);
}

u64 kng_exact_covered(void)
{
	if (!on)
		return kng_maps_charged();
	return kng_params.shrink ? needed() : kng_maps_charged() + promise.slack;
}

void kng_exact_raise(u32 jobs)
{
	kng_promise_raise(&promise, jobs);
}

bool kng_exact_lower(u32 jobs)
{
	return kng_promise_lower(&promise, jobs, bounds);
}

void kng_exact_show(struct seq_file *m)
{
	seq_printf(m, "reserve: %s%s\n", !on ? "capacity" : older ?
		   "exact, but by capacity, since maps are older" :
		   kng_params.shrink ? "exact, shrinks to the count" : "exact",
		   on && !kng_maps_bounded() ? "; storage and objects by floor" : "");
	seq_printf(m, "references: %lld\n", (s64)atomic64_read(&promise.refs));
}
