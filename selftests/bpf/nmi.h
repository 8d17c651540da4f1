/* SPDX-License-Identifier: GPL-2.0-only */
/* Where NMIs come from: the test modules' debugfs files. */
#ifndef KNG_NMI_H
#define KNG_NMI_H

enum source {
	SOURCE_FIRE,	/* kng_nmi_fire: to this CPU, from task context */
	SOURCE_AT,	/* kng_nmi_at: inside the function it was loaded for */
	SOURCE_STORM,	/* kng_nmi_fire: on every CPU, anywhere */
	SOURCE_BREAK,	/* progtypes: what its program is attached to */
	SOURCE_CPU,	/* kng_nmi_fire: on CPU 1, while that goes and comes */
	SOURCE_HOLD,	/* kng_nmi_fire: on CPU 1, which then keeps interrupts off */
	SOURCE_NONE,	/* no NMI: teardown from task context */
};

void nmi_require(enum source source);
void nmi_begin(enum source source, unsigned int period_us);
void nmi_stir_files(void);
void nmi_stir_workers(void);
void nmi_kick(enum source source, void (*stir_too)(void));
void nmi_end(enum source source);
long long nmi_late(enum source source);

#endif /* KNG_NMI_H */
