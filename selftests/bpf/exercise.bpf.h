/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs of every exerciser. The including file has defined
 *
 *   static int store(__u32 slot, __u64 id)	fill a slot; 0 or -errno
 *   static int tear(__u32 slot)		tear it down; 0 or -errno
 *
 * before. It defines KNG_NMI_PROGRAM_ELSEWHERE if it brings other programs
 * that call nmi().
 */
#ifndef KNG_EXERCISE_BPF_H
#define KNG_EXERCISE_BPF_H

#include "references.bpf.h"

static __always_inline void settle(__u32 slot, int err)
{
	if (!err) {
		/* Counted last: who sees the sum fills the slot again. */
		ctl.state[slot] = KNG_EMPTY;
		count(torn, conf.copies);
	} else if (err == -EBUSY || err == -EDEADLK || err == -ETIMEDOUT) {
		count(retried, 1);
		ctl.state[slot] = KNG_LIVE;
	} else {
		count(failed, 1);
		ctl.last_error = err;
		ctl.state[slot] = KNG_FAILED;
	}
}

static long tear_one(__u32 slot, void *unused)
{
	if (slot >= KNG_SLOTS_MAX)
		return 1;
	if (__sync_val_compare_and_swap(&ctl.state[slot], KNG_LIVE,
					KNG_BUSY) == KNG_LIVE)
		settle(slot, tear(slot));
	return 0;
}

static __always_inline int nmi(void)
{
	count(nmis, 1);
	if (ctl.open && (conf.cpu < 0 ||
			 conf.cpu == (__s32)bpf_get_smp_processor_id()))
		bpf_loop(conf.slots, tear_one, NULL, 0);
	return 0;
}

#ifndef KNG_NMI_PROGRAM_ELSEWHERE
/* The kernel calls each NMI handler in turn: only a claimed NMI counts. */
SEC(KNG_NMI_SECTION)
int BPF_PROG(on_nmi, KNG_NMI_ARGS)
{
	return handled ? nmi() : 0;
}
#endif

SEC("syscall")
int fill(struct kng_arg *arg)
{
	__u32 slot = arg->slot;
	int err;

	if (slot >= KNG_SLOTS_MAX || ctl.state[slot] != KNG_EMPTY)
		return -EINVAL;
	err = store(slot, arg->id);
	if (!err)
		ctl.state[slot] = KNG_LIVE;
	return err;
}

/* The same teardown, from task context. */
SEC("syscall")
int sweep(void *ctx)
{
	bpf_loop(conf.slots, tear_one, NULL, 0);
	return 0;
}

#endif /* KNG_EXERCISE_BPF_H */
