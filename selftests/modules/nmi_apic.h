/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x86: sending NMIs and claiming exactly those. Each module that includes this
 * has a mailbox of its own per CPU:
 *
 *   sender, any CPU:  0 -> 1, then the IPI      (loser of the race: no IPI)
 *   NMI on the CPU:   1 -> 0, and the NMI is ours
 *
 * At most one NMI of ours is on its way to a CPU, so the hardware, which
 * latches only one, never merges two of them. Without that a merged NMI
 * would leave a count behind, and a later one would go unclaimed, which the
 * kernel reports as "NMI received for unknown reason".
 */
#ifndef KNG_TEST_NMI_APIC_H
#define KNG_TEST_NMI_APIC_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/percpu.h>
#include <linux/processor.h>

#include <asm/apic.h>
#include <asm/irq_vectors.h>
#include <asm/nmi.h>

static DEFINE_PER_CPU(atomic_t, nmi_mailbox);
static atomic64_t nmi_sent = ATOMIC64_INIT(0);
static atomic64_t nmi_handled = ATOMIC64_INIT(0);

/* Context: any but NMI; @cpu is online. False: one is on its way already. */
static inline bool nmi_send(int cpu)
{
	if (atomic_cmpxchg(per_cpu_ptr(&nmi_mailbox, cpu), 0, 1))
		return false;
	atomic64_inc(&nmi_sent);
	apic->send_IPI(cpu, NMI_VECTOR);
	return true;
}

static inline bool nmi_in_flight(int cpu)
{
	return atomic_read(per_cpu_ptr(&nmi_mailbox, cpu));
}

/*
 * Spins, at most @spins rounds, until @cpu took its NMI. Emulators deliver
 * it some instructions late: a caller who wants it *here* has to wait.
 */
static inline bool nmi_wait(int cpu, unsigned int spins)
{
	while (nmi_in_flight(cpu) && spins--)
		cpu_relax();
	return !nmi_in_flight(cpu);
}

/* Context: @cpu, which was gone; the NMI on its way to it went nowhere. */
static inline void nmi_forget(int cpu)
{
	atomic_set(per_cpu_ptr(&nmi_mailbox, cpu), 0);
}

/* Context: NMI. Takes no lock and prints nothing. */
static int nmi_claim(unsigned int type, struct pt_regs *regs)
{
	if (atomic_cmpxchg(this_cpu_ptr(&nmi_mailbox), 1, 0) != 1)
		return NMI_DONE;
	atomic64_inc(&nmi_handled);
	return NMI_HANDLED;
}

/* Before the handler goes: an NMI that nobody claims alarms the kernel. */
static inline void nmi_drain(void)
{
	int cpu, ms;

	for_each_online_cpu(cpu)
		for (ms = 0; nmi_in_flight(cpu) && ms < 1000; ms++)
			usleep_range(1000, 2000);
}

/* (Before 6.16 register_nmi_handler() makes a static object of its arguments.) */
static inline int nmi_begin(void)
{
	return register_nmi_handler(NMI_LOCAL, nmi_claim, 0, KBUILD_MODNAME);
}

static inline void nmi_end(void)
{
	nmi_drain();
	unregister_nmi_handler(NMI_LOCAL, KBUILD_MODNAME);
}

#endif /* KNG_TEST_NMI_APIC_H */
