#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Random operations on all map types from all contexts of all CPUs: created equals
# destroyed, nothing in NMI, nothing leaked, memory as before. Without the guard
# the same finds releases and destructors in NMI.
#
#   KNG_SEED=N          that seed, not a new one: each CPU in each context does the
#                       same again, the rest is up to the machine
#   KNG_SLOW=1          on the first kernel 10,000,000 references, and the fuzz
#                       (scenarios/fuzz.sh)
#   KNG_FUZZ_SECONDS=N  of the fuzz, default 1800 with KNG_SLOW, else none

. "$(dirname "$0")/tap.sh"

seed=${KNG_SEED:-$(($(od -An -N4 -tu4 /dev/urandom) % 2147483647 + 1))}
# prove shows this line even if all is well.
echo "# again: KNG_SEED=$seed ${KNG_SLOW:+KNG_SLOW=$KNG_SLOW }prove -v selftests/vm/soak.t" >&2
taken=100000
[ -z "${KNG_SLOW:-}" ] || taken=10000000
fuzz=${KNG_FUZZ_SECONDS:-${KNG_SLOW:+1800}}

for kernel in $KERNELS; do
	# Since 7.2 only releases are left, and few of them are the last ones.
	case $TEARDOWN_KERNELS in
	*"$kernel "*) count=taken ;;
	*) count=passed ;;
	esac
	boot "$kernel-bare" "$kernel: random operations, bare, seed $seed" --kernel "$kernel" \
		--scenario soak --guard no --timeout 240 --args "--seed,$seed,--seconds,2,--expect-nmi,some"
	boot "$kernel-guarded" "$kernel: random operations, $taken references $count, seed $seed" \
		--kernel "$kernel" --scenario soak --timeout $((240 + taken / 5000)) \
		--args "--seed,$seed,--taken,$taken,--variant,$count,--acts,512,--expect-nmi,stub,--last,--memory"
	boot "$kernel-irqsoff" "$kernel: defer=irqsoff, the same and sched_switch, seed $seed" \
		--kernel "$kernel" --scenario soak --timeout 240 \
		--args "--seed,$seed,--taken,100000,--variant,$count,--acts,512,--expect-nmi,stub,--last,--irqsoff"
	[ -z "$fuzz" ] || boot "$kernel-fuzz" "$kernel: $fuzz seconds of fuzz, seed $seed" \
		--kernel "$kernel" --scenario fuzz --timeout $((fuzz + 300)) \
		--args "$seed,$fuzz,--expect-nmi,stub,--last"
	taken=100000 fuzz=
done
unless_slow '10,000,000 references; half an hour of fuzz'
plan
