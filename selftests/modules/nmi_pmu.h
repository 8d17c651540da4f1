/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * arm64: the PMU's interrupt at a place of our choice. Where pseudo-NMI is on, that is
 * an NMI.
 *
 * Somebody has a perf event on this CPU's cycles, with a period that never ends by itself.
 * The counter is put to just below its overflow. What follows is perf's own: the interrupt,
 * the event's handler, the next period. With that the counter starts far below again,
 * which tells that the interrupt was taken.
 */
#ifndef KNG_TEST_NMI_PMU_H
#define KNG_TEST_NMI_PMU_H

#include <linux/processor.h>

#include <asm/sysreg.h>

/* In cycles. A period (progtypes.c) is longer than FAR by far. */
#define PMU_NEAR	1000
#define PMU_FAR		(1ULL << 32)

/* PMCNTENSET_EL0: the counter of cycles */
#define PMU_CYCLES	(1UL << 31)

/* Cycles to its overflow; of a counter that has just overflown, nearly 2^64 */
static __always_inline u64 pmu_left(void)
{
	return -(u64)read_sysreg(pmccntr_el0);
}

static __always_inline bool pmu_waits(void)
{
	return (read_sysreg(pmcntenset_el0) & PMU_CYCLES) && pmu_left() > PMU_FAR &&
	       pmu_left() < 1ULL << 63;
}

/*
 * Context: preemption off. Spins, at most @spins rounds, until the interrupt was taken.
 * False: it was not.
 */
static __always_inline bool pmu_overflow(unsigned int spins)
{
	write_sysreg(-(u64)PMU_NEAR, pmccntr_el0);
	isb();
	while (!pmu_waits() && spins--)
		cpu_relax();
	return pmu_waits();
}

#endif /* KNG_TEST_NMI_PMU_H */
