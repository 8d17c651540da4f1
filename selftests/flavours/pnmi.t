#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# arm64 with pseudo-NMI, on a kernel that is built for it: an ordinary perf_event program
# that drops last references in the PMU's interrupt, which is an NMI there. And, on this
# kernel, too, what arm64.t has.

. "$(dirname "$0")/../vm/tap.sh"

kernel=pnmi-arm64
with=(--kernel "$kernel" --cmdline "$NOCB irqchip.gicv3_pseudo_nmi=1" --timeout 400)
boot_hung "$kernel-pmu-bare" "$kernel: a PMU NMI under a lock hangs the bare kernel" \
	"${with[@]}" --scenario pmu --guard no
boot "$kernel-pmu-guarded" "$kernel: PMU NMIs, under a lock and anywhere: guarded, it lives" \
	"${with[@]}" --scenario pmu
boot "$kernel-arm64" "$kernel: SErrors and entries that nest, beside pseudo-NMI" \
	"${with[@]}" --scenario arm64
plan
