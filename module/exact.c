// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exact reserve: count the references that programs store in maps, and refuse a reference
 * if no job can be promised to it. (include/kng_promise.h explains how promises are kept.)
 *
 * Linux inlines bpf_kptr_xchg() into programs. While bpf_jit_supports_ptr_xchg() returns
 * false, newly loaded programs call the helper instead, and reach the replacement below. It
 * stores a new reference only if a job is left for it. Otherwise it leaves the slot alone and
 * returns the new pointer to the program.
 *
 * What is counted: refs is incremented for each pointer that the replacement stores, and
 * decremented for each that it takes out and for each that a teardown takes out of a
 * watched map, in NMI or elsewhere (teardown.c).
 *
 * Claim: if no map that an exchange can reach is older than the replacement, then
 * refs is at least the number of references in slots of watched maps.
 *
 *   Increments: only bpf_kptr_xchg() fills a slot of a map. A program that has it
 *   inlined was verified before the replacement was installed, with its maps at hand,
 *   and none of these is reachable by an exchange. Nor is any map that it looks up in
 *   a map of maps, because the template of that map decides. So every exchange with a
 *   slot of a watched map is a call, and is counted before it happens.
 *
 *   Decrements: a pointer that the replacement takes out was stored and counted before,
 *   unless a program with an inlined exchange stored it in an object of bpf_obj_new(). But
 *   objects move from one program to another only through maps, and that program has no map
 *   that can hold them. A pointer that a teardown takes out of a watched map was in a slot of
 *   that map, so it was counted. Teardowns of objects don't decrement.
 *
 * So refs can only be too large: kptrs to objects are counted like references to kernel
 * types; references that are dropped together with an object stay counted; a
 * teardown may drop a pointer that was stored after our look at the slot; and kernels
 * with bpf_obj_cancel_fields() free the elements of hashes through a copy of the
 * record, which belongs to no watched map. The room in all maps limits this error. The
 * limit is applied when refs is read. Local storage, objects and unwatched maps have
 * no limit. For them, references beyond the parameter floor, or all together beyond
 * kng_maps_floor_limit(), are stored without a promise, as in reserve=capacity.
 * Otherwise the error would add up until no program could store anything.
 *
 * If older maps exist, refs means nothing, even after they are gone. It is still shown, but
 * the room in all maps is used instead of it (see bounds()).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/seq_buf.h>

#include "compat.h"
#include "count.h"
#include "direct.h"
#include "exact.h"
#include "fire.h"
#include "hook.h"
#include "kng_promise.h"
#include "maps.h"
#include "offload.h"
#include "params.h"
#include "pool.h"

/*
 * Number of contexts of one CPU that can be inside the pool at the same time. Three
 * need no NMI: code with interrupts off; PREEMPT_RT's irq_work thread, which that code
 * interrupted; and a worker, which that thread preempted. The others are in NMI:
 *
 * x86: an NMI, and a #DB or int3 inside that.
 *
 * arm64: a pseudo-NMI, the firmware's SDEI events of normal and of critical priority, and an
 * SError. Each masks its own kind, but can interrupt the others. Inside the innermost, two debug
 * exceptions, which are in NMI only if what they interrupt is: a break- or watchpoint, which
 * masks others, and a kprobe's BRK, which nothing masks; but kprobes do not nest.
 */
#ifdef CONFIG_ARM64
#define CONTEXTS	(3 + 4 + 2)
#else
#define CONTEXTS	(3 + 2)
#endif

static struct kng_promise promise = { .pool = &kng_pool, .by_bounds = true };
static bool on;
static bool older_maps = true;	/* maps that can own references may be older than we are */
static bool count_failed;	/* see distrust_count() */

/*
 * Lower bound: an older program with an inlined exchange can fill any slot of the maps that it
 * reaches, and with a map of maps those of newer maps, too. So if there are older maps,
 * assume that all maps are full. Upper bound: the room in all maps.
 */
static struct kng_bounds bounds(void)
{
	s64 room = kng_maps_charged();

	if (!on)
		return (struct kng_bounds) {};
	return (struct kng_bounds) {
		.least = older_maps || READ_ONCE(count_failed) ? room : 0,
		.most = room,
	};
}

static s64 references(void)
{
	s64 refs = atomic64_read(&promise.refs);

	smp_rmb(); /* As in kng_promise.h: read the bounds after refs. */
	return kng_promise_clamp(refs, bounds());
}

/* Number of jobs needed to let one more reference in. */
static s64 needed(void)
{
	return references() + 1 + kng_pool_in_use() + promise.slack;
}

/*
 * More references have left maps than came in: programs that are not counted put them there.
 * That is to be expected of maps that are older than the guard. Otherwise the compiler has
 * inlined bpf_jit_supports_ptr_xchg(): nobody calls what we replaced. Then go by capacity.
 */
static bool count_is_wrong(void)
{
	return on && !older_maps && !READ_ONCE(count_failed) &&
	       atomic64_read(&promise.refs) < 0;
}

static void distrust_count(void)
{
	WRITE_ONCE(count_failed, true);
	WRITE_ONCE(promise.by_bounds, true);
	pr_err("programs exchange kptrs without being counted (references: %lld): reserve=exact keeps jobs for all that maps have room for, and refuses nothing that is not counted; load with reserve=capacity\n",
	       kng_exact_references());
}

/* Half of the headroom is kept, so that the pool grows before all jobs are promised. */
bool kng_exact_short(void)
{
	if (count_is_wrong())
		return true;
	return on && kng_params.shrink && kng_pool_total() < kng_params.max_jobs &&
	       needed() + kng_params.headroom / 2 > atomic64_read(&promise.limit);
}

static __always_inline u64 exchange(u64 slot, u64 ptr)
{
	u64 old = xchg((u64 *)slot, ptr);

	if (old)
		kng_promise_keep(&promise);
	return old;
}

/* This CPU has no credit. Not inline: what is more frequent saves no register for it. */
static noinline u64 exchange_without_credit(u64 slot, u64 ptr)
{
	if (kng_exact_short())
		kng_offload_schedule();
	if (kng_promise_take(&promise, bounds))
		return exchange(slot, ptr);
	kng_count(KNG_REFUSED);
	return ptr;
}

static __always_inline u64 exact_xchg(u64 slot, u64 ptr, u64 r3, u64 r4, u64 r5)
{
	if (ptr && !kng_promise_spend(&promise))
		return exchange_without_credit(slot, ptr);
	return exchange(slot, ptr);
}

static bool asked, exchanged; /* when a program of ours was loaded and run: prove_hooks() */
static DEFINE_STATIC_KEY_TRUE(unproven);

/* Replaces bpf_kptr_xchg(). */
u64 kng_exact_xchg(u64 slot, u64 ptr, u64 r3, u64 r4, u64 r5)
{
	if (KNG_XCHG_IS_INLINED && static_branch_unlikely(&unproven))
		WRITE_ONCE(exchanged, true);
	return exact_xchg(slot, ptr, r3, r4, r5);
}

/* Replaces bpf_jit_supports_ptr_xchg(). */
static bool no_ptr_xchg(void)
{
	WRITE_ONCE(asked, true);
	return false;
}

asm(KNG_DIRECT_STUB("kng_exact_stub", "kng_exact_xchg"));

static struct kng_hook xchg_hook = {
	.function	= { "bpf_kptr_xchg" },
	.replacement	= (unsigned long)kng_exact_xchg,
	.direct		= KNG_DIRECT(kng_exact_stub),
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

/* A hook that is not called is none. (Where nothing is inlined, calls are by address.) */
static int prove_hooks(void)
{
	int ret = kng_fire_exchange();

	static_branch_disable(&unproven);
	if (ret) {
		pr_err("no exchange can be tried (%d): load with reserve=capacity\n", ret);
		return ret;
	}
	if (exchanged && asked)
		return 0;
	/* Who did not ask has inlined the exchange. */
	pr_err("%s is replaced, but a new program did not call it, as the compiler may have inlined it: load with reserve=capacity\n",
	       (asked ? &xchg_hook : &inline_hook)->function[0]);
	return -EOPNOTSUPP;
}

int kng_exact_init(void)
{
	int ret;

	/* One more for the sweeper: a task, while a worker is preempted. */
	promise.slack = CONTEXTS * num_possible_cpus() + 1;
	WRITE_ONCE(on, true);
	ret = replace(&xchg_hook);
	if (!ret && KNG_XCHG_IS_INLINED)
		ret = replace(&inline_hook) ?: prove_hooks();
	if (ret)
		kng_exact_exit();
	return ret;
}

void kng_exact_trust_count(void)
{
	older_maps = false;
	WRITE_ONCE(promise.by_bounds, false);
}

void kng_exact_exit(void)
{
	kng_hook_remove_for_good(&inline_hook);
	kng_hook_remove_for_good(&xchg_hook);
	WRITE_ONCE(on, false);
}

void kng_exact_note_removed(const struct btf_record *rec, unsigned int nr)
{
	if (!READ_ONCE(on) || kng_maps_slots(rec) == KNG_SLOTS_UNKNOWN)
		return;
	kng_promise_release(&promise, nr);
	if (unlikely(count_is_wrong()))
		kng_offload_schedule();	/* so that a worker gets to see it */
}

u64 kng_exact_covered(void)
{
	if (!on)
		return kng_maps_charged();
	if (count_is_wrong())
		distrust_count();
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

s64 kng_exact_references(void)
{
	return kng_promise_refs(&promise);
}

void kng_exact_show(struct seq_buf *m)
{
	seq_buf_printf(m, "reserve: %s%s\n", !on ? "capacity" : older_maps ?
		   "exact, but by capacity, since maps are older" : count_failed ?
		   "exact, but by capacity, since programs are not counted" :
		   kng_params.shrink ? "exact, shrinks to the count" : "exact",
		   on && !kng_maps_bounded() ? "; storage and objects by floor" : "");
	seq_buf_printf(m, "references: %lld\n", kng_exact_references());
}
