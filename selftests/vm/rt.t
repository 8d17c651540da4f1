#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# PREEMPT_RT: where destructors run. Only make check-all has such a kernel.

. "$(dirname "$0")/tap.sh"

for kernel in $KERNELS; do
	case $kernel in
	*-rt) boot "$kernel" "$kernel: destructors run in irq_work/N" \
		--kernel "$kernel" --scenario rt --cmdline "$NOCB" ;;
	esac
done
plan
