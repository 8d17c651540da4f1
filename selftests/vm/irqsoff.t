#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# defer=irqsoff: the last reference to a cgroup, given back under the runqueue's lock.
# No NMI is in it, and every kernel hangs. (By a map's update only those that free
# its references at once.) And on arm64, where a breakpoint is no NMI, the last one to a task,
# by a program on a breakpoint under the lock of RCU's callbacks.

. "$(dirname "$0")/tap.sh"

for kernel in $KERNELS; do
	case ${KNG_SLOW:+slow}:$TEARDOWN_KERNELS in
	slow:*"$kernel "*) ways='release update' ;;
	*) ways=release ;;
	esac
	for how in $ways; do
		options=
		[ "$how" = update ] || options=',--release'
		with=(--kernel "$kernel" --scenario irqsoff)
		what="$kernel: $how at sched_switch"
		boot_hung "$kernel-$how-bare" "$what: hangs the bare kernel" "${with[@]}" \
			--args "nmi$options" --guard no
		[ -z "${KNG_SLOW:-}" ] || boot_hung "$kernel-$how-nmi" "$what: and with defer=nmi" \
			"${with[@]}" --args "nmi$options"
		boot "$kernel-$how-guarded" "$what: lives with defer=irqsoff" "${with[@]}" \
			--args "irqsoff$options"
	done
	[[ $kernel == *-arm64 ]] || continue
	with=(--kernel "$kernel" --scenario breakpoint --cmdline "$NOCB")
	what="$kernel: release at a breakpoint"
	boot_hung "$kernel-break-bare" "$what: hangs the bare kernel" "${with[@]}" --args nmi --guard no
	boot_hung "$kernel-break-nmi" "$what: and with defer=nmi" "${with[@]}" --args nmi
	boot "$kernel-break-guarded" "$what: lives with defer=irqsoff" "${with[@]}" --args irqsoff
done
plan
