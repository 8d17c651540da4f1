/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NMIs on request, by what the architecture has for one:
 *
 *   nmi_begin(), nmi_end()	once for each module, before the first and after the last
 *   nmi_send()			sends one; false: one is on its way to that CPU already
 *   nmi_wait()			spins until it was taken
 *   nmi_forget()		it went to a CPU that was gone
 *   nmi_sent, nmi_handled	counts
 */
#ifndef KNG_TEST_NMI_H
#define KNG_TEST_NMI_H

#ifdef CONFIG_ARM64
#include "nmi_serror.h"
#else
#include "nmi_apic.h"
#endif

#endif /* KNG_TEST_NMI_H */
