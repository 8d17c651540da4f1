// SPDX-License-Identifier: GPL-2.0-only
/*
 * All map types and all contexts at once: each program acts, as often as it is
 * told to, as the numbers of its lane say (soak.h).
 *
 * Not to meet Linux 6.12's own NMI bugs: one CPU alone updates and deletes in a
 * given hash (the others look up, and exchange); a preallocated hash, whose spare
 * elements an NMI would take from under an update, and an LRU map are claimed as
 * a whole; local storage is neither made nor deleted in NMI (nor at sched_switch,
 * where its memory might take waking somebody).
 */
#include "kng.bpf.h"
#include "soak.h"

#define SOAK_TICK_NS	1000000
#define TIMER_CPU_PIN	2ULL	/* Linux 6.7; older headers do not have it */
#define CLOCK_MONOTONIC	1

const volatile struct soak_conf conf;
struct soak_ctl ctl;

#include "soak_maps.bpf.h"
#include "soak_give.bpf.h"
#include "soak_act.bpf.h"

static __always_inline int run(__u32 context)
{
	struct soak_who who = {
		.cpu = bpf_get_smp_processor_id() & (SOAK_CPUS - 1),
		.context = context,
	};
	struct soak_lane *lane = lane_of(&who);

	if (!ctl.open)
		return 0;
	lane->runs++;
	bpf_loop(conf.acts[context], act, &who, 0);
	return 0;
}

SEC("syscall")
int in_task(void *ctx)
{
	return run(SOAK_TASK);
}

/*
 * Softirq by a timer on each CPU. The tracepoint does where none can be made: Linux
 * 7.3 wants cmpxchg16b for that. But QEMU 7.2 now and then trips over it as it is
 * switched on and off.
 */
SEC("tp_btf/softirq_entry")
int BPF_PROG(at_softirq, unsigned int vec)
{
	return run(SOAK_SOFTIRQ);
}

static int in_softirq(void *map, __u32 *cpu, struct ticker *ticker)
{
	run(SOAK_SOFTIRQ);
	bpf_timer_start(&ticker->timer, SOAK_TICK_NS, TIMER_CPU_PIN);
	return 0;
}

SEC("syscall")
int tick(void *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct ticker *ticker = bpf_map_lookup_elem(&tickers, &cpu);

	long err;

	if (!ticker)
		return -ENOENT;
	err = bpf_timer_init(&ticker->timer, &tickers, CLOCK_MONOTONIC);
	if (!err)
		err = bpf_timer_set_callback(&ticker->timer, in_softirq);
	if (!err)
		err = bpf_timer_start(&ticker->timer, SOAK_TICK_NS, TIMER_CPU_PIN);
	return err;
}

SEC("tp_btf/hrtimer_expire_entry")
int BPF_PROG(in_hardirq, void *timer, void *now)
{
	return run(SOAK_HARDIRQ);
}

/* With the runqueue locked. */
SEC("tp_btf/sched_switch")
int BPF_PROG(at_switch, int preempt, void *prev, void *next)
{
	return run(SOAK_HARDIRQ);
}

SEC(KNG_NMI_SECTION)
int BPF_PROG(in_nmi, KNG_NMI_ARGS)
{
	return handled ? run(SOAK_NMI) : 0;
}

/* One cgroup, soon to be removed, into a few slots of the array. */
SEC("syscall")
int plant(struct kng_arg *arg)
{
	struct soak_lane *lane = &ctl.lane[0][SOAK_LOADER];
	__u32 i, key;

	for (i = 0; i < arg->slot && i < 64; i++) {
		key = draw(lane) & (SOAK_SLOTS - 1);
		fill_cgroup(lane, bpf_map_lookup_elem(&array, &key), arg->id);
	}
	return 0;
}

/* References of a lasting task, this program's own not counted. */
SEC("syscall")
int users(struct kng_arg *arg)
{
	struct soak_lane *lane = &ctl.lane[0][SOAK_LOADER];
	struct task_struct *task = bpf_task_from_pid(arg->id);
	int n;

	if (!task)
		return -ESRCH;
	lane->created[SOAK_A_TASK]++;
	n = task->rcu_users.refs.counter - 1;
	bpf_task_release(task);
	lane->released[SOAK_A_TASK]++;
	return n;
}

static long mask_comes_and_goes(__u32 i, void *unused)
{
	struct bpf_cpumask *mask = bpf_cpumask_create();

	if (mask)
		bpf_cpumask_release(mask);
	return 0;
}

/*
 * The kernel's cache of cpumasks looks at what was freed after a burst, and may go
 * back to the slabs, only when the next ones are freed.
 */
SEC("syscall")
int stir_masks(void *ctx)
{
	bpf_loop(512, mask_comes_and_goes, NULL, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
