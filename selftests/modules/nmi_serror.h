/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * arm64: stock kernels have no interrupt that is an NMI, but an SError is one, and
 * one that the RAS extension calls corrected does no harm: do_serror() returns.
 * EL2 can make an SError pending for EL1 (HCR_EL2.VSE, the syndrome in VSESR_EL2). It
 * is taken as soon as PSTATE.A is clear, which it is also where interrupts are off.
 *
 * Where the kernel was started in EL2 and uses it for nothing (kvm-arm.mode=none,
 * id_aa64mmfr1.vh=0), its stub there still takes HVC_SET_VECTORS. So a page of our own
 * gets there, which understands that call, too, and two of ours. It is never freed:
 * a CPU may be asked at any time. As it knows the stub's call, a second module can put
 * its page in place of the first one's.
 *
 * The mailbox is as in nmi_apic.h, but it is the CPU itself that finds out that its
 * SError was taken: the hardware has then cleared HCR_EL2.VSE. To another CPU it goes by
 * way of an interrupt.
 *
 * For emulators: the page is made visible to EL2, whose MMU is off, no better than a
 * machine without caches needs.
 */
#ifndef KNG_TEST_NMI_SERROR_H
#define KNG_TEST_NMI_SERROR_H

#include <linux/atomic.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/percpu.h>
#include <linux/processor.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <asm/cacheflush.h>
#include <asm/memory.h>
#include <asm/ptrace.h>
#include <asm/sysreg.h>
#include <asm/virt.h>

/* The stub's call, and ours. */
#define EL2_SET_VECTORS	0
#define EL2_RAISE	0x4b4e4701
#define EL2_PENDING	0x4b4e4702

/* ISS of the syndrome: asynchronous SError (DFSC 0x11), corrected (AET 6). */
#define SERROR_CORRECTED	0x1811

#define EL2_VECTORS_SIZE	0x800

/* Of the 16 vectors one is used: synchronous, from a lower level in AArch64. */
asm("	.pushsection .rodata, \"a\"\n"
"	.balign	8\n"
"kng_el2_vectors:\n"
"	.rept	0x400 / 4\n"
"	b	.\n"
"	.endr\n"
"	cbnz	x0, 1f\n"
"	msr	vbar_el2, x1\n"
"	isb\n"
"	eret\n"
"1:	mrs	x2, hcr_el2\n"
"	mov	x3, #0x4701\n"
"	movk	x3, #0x4b4e, lsl #16\n"
"	cmp	x0, x3\n"
"	b.ne	2f\n"
"	msr	s3_4_c5_c2_3, x1\n"		/* VSESR_EL2 */
"	orr	x2, x2, #(1 << 8)\n"		/* VSE */
"	orr	x2, x2, #(1 << 5)\n"		/* AMO */
"	msr	hcr_el2, x2\n"
"	isb\n"
"	mov	x0, xzr\n"
"	eret\n"
"2:	add	x3, x3, #1\n"
"	cmp	x0, x3\n"
"	b.ne	3f\n"
"	ubfx	x0, x2, #8, #1\n"
"	eret\n"
"3:	mov	x0, #-1\n"
"	eret\n"
"	.org	kng_el2_vectors + 0x800\n"
"	.popsection\n"
);

extern const char kng_el2_vectors[EL2_VECTORS_SIZE];

static DEFINE_PER_CPU(atomic_t, nmi_mailbox);
static DEFINE_PER_CPU(call_single_data_t, nmi_csd);
static atomic64_t nmi_sent = ATOMIC64_INIT(0);
static atomic64_t nmi_handled = ATOMIC64_INIT(0);
static phys_addr_t el2_page;
static enum cpuhp_state el2_state;

static __always_inline unsigned long el2_call(unsigned long what, unsigned long arg)
{
	register unsigned long x0 asm("x0") = what;
	register unsigned long x1 asm("x1") = arg;

	asm volatile("hvc #0" : "+r" (x0), "+r" (x1) : : "x2", "x3", "cc", "memory");
	return x0;
}

/* Context: this CPU is @cpu, which can't change. */
static __always_inline bool nmi_in_flight(int cpu)
{
	atomic_t *mailbox = per_cpu_ptr(&nmi_mailbox, cpu);

	if (atomic_read(mailbox) && cpu == raw_smp_processor_id() &&
	    !el2_call(EL2_PENDING, 0) && atomic_cmpxchg(mailbox, 1, 0) == 1)
		atomic64_inc(&nmi_handled);
	return atomic_read(mailbox);
}

/* Context: interrupts off, or preemption. Mostly the SError is taken at the isb. */
static __always_inline void nmi_raise_here(void)
{
	el2_call(EL2_RAISE, SERROR_CORRECTED);
	isb();
	nmi_in_flight(raw_smp_processor_id());
}

static void nmi_raise_ipi(void *unused)
{
	nmi_raise_here();
}

/*
 * Context: any, preemption off, but for an NMI that interrupts one of these; @cpu is
 * online. False: one is on its way already.
 */
static __always_inline bool nmi_send(int cpu)
{
	/* What a place with SErrors masked had left pending was taken since. */
	nmi_in_flight(cpu);
	if (atomic_cmpxchg(per_cpu_ptr(&nmi_mailbox, cpu), 0, 1))
		return false;
	atomic64_inc(&nmi_sent);
	if (cpu == raw_smp_processor_id())
		nmi_raise_here();
	else
		smp_call_function_single_async(cpu, per_cpu_ptr(&nmi_csd, cpu));
	return true;
}

/*
 * Spins, at most @spins rounds, until @cpu took its NMI. In an exception of the debugger's
 * kind, as is a kprobe's, SErrors are masked: it comes where that returns to.
 */
static __always_inline bool nmi_wait(int cpu, unsigned int spins)
{
	if (cpu == raw_smp_processor_id() && read_sysreg(daif) & PSR_A_BIT)
		return true;
	while (nmi_in_flight(cpu) && spins--)
		cpu_relax();
	return !nmi_in_flight(cpu);
}

/* Context: @cpu, which was gone; the NMI on its way to it went nowhere. */
static inline void nmi_forget(int cpu)
{
	atomic_set(per_cpu_ptr(&nmi_mailbox, cpu), 0);
}

static void nmi_settle(void *unused)
{
	nmi_in_flight(raw_smp_processor_id());
}

static inline void nmi_drain(void)
{
	int ms;

	for (ms = 0; ms < 5; ms++) {
		on_each_cpu(nmi_settle, NULL, 1);
		usleep_range(1000, 2000);
	}
}

static int el2_take(unsigned int cpu)
{
	el2_call(EL2_SET_VECTORS, el2_page);
	return el2_call(EL2_PENDING, 0) > 1 ? -EBUSY : 0;
}

/* EL2 is there and not in use by the kernel, and SErrors have a syndrome. */
static inline bool el2_usable(void)
{
	u64 pfr0 = read_sysreg_s(SYS_ID_AA64PFR0_EL1);

	return !is_kernel_in_hyp_mode() && (pfr0 >> 8 & 0xf) && (pfr0 >> 28 & 0xf);
}

static inline int nmi_begin(void)
{
	void *page;
	int cpu, state;

	if (!el2_usable()) {
		pr_err(KBUILD_MODNAME ": no EL2 to raise SErrors from: boot with virtualization=on, kvm-arm.mode=none id_aa64mmfr1.vh=0\n");
		return -ENODEV;
	}
	for_each_possible_cpu(cpu)
		INIT_CSD(per_cpu_ptr(&nmi_csd, cpu), nmi_raise_ipi, NULL);
	page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	memcpy(page, kng_el2_vectors, EL2_VECTORS_SIZE);
	caches_clean_inval_pou((unsigned long)page, (unsigned long)page + EL2_VECTORS_SIZE);
	el2_page = virt_to_phys(page);
	/* A CPU that comes back starts with the kernel's own stub. */
	state = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, KBUILD_MODNAME, el2_take, NULL);
	if (state < 0) {
		pr_err(KBUILD_MODNAME ": EL2 does not take the vectors: %d\n", state);
		return state;
	}
	el2_state = state;
	return 0;
}

static inline void nmi_end(void)
{
	nmi_drain();
	cpuhp_remove_state_nocalls(el2_state);
}

#endif /* KNG_TEST_NMI_SERROR_H */
