#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# PREEMPT_RT: where destructors run. Where no kernel that was asked for has it, on
# the first of kernels.conf that does.

. "$(dirname "$0")/tap.sh"

case " $KERNELS " in
*-rt\ *) ;;
*) KERNELS=$("$TOP/scripts/kernels" list | grep -- '-rt$' | head -n 1) ;;
esac

for kernel in $KERNELS; do
	case $kernel in
	*-rt) boot "$kernel" "$kernel: destructors run in irq_work/N" \
		--kernel "$kernel" --scenario rt --cmdline "$NOCB" ;;
	esac
done
plan
