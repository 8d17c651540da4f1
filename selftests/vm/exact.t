#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# reserve=exact: bpf_kptr_xchg() is called, counts, and refuses; and all is as
# before when the guard has gone.

. "$(dirname "$0")/tap.sh"

# This machine's bpftool, with its own libraries: the guest's are other ones.
bpftool=$(PATH=$PATH:/usr/sbin:/sbin command -v bpftool)
tool=(--add "$bpftool:tests/tool/bpftool")
while read -r lib; do
	case $lib in
	*/ld-linux*) tool+=(--add "$(readlink -f "$lib"):tests/tool/ld.so") ;;
	*) tool+=(--add "$(readlink -f "$lib"):tests/tool/$(basename "$lib")") ;;
	esac
done < <(ldd "$bpftool" | grep -o '/[^ ]*')

for kernel in $KERNELS; do
	boot "$kernel" "$kernel: the exchange is called, counted, and refused" \
		--kernel "$kernel" --scenario exact --timeout 600 "${tool[@]}" \
		--args inlining,counting,refusal,older,shared,traced,refusing,drifting,uncounted
	boot "$kernel-storm" "$kernel: the reserve follows the count; storms" \
		--kernel "$kernel" --scenario exact --timeout 600 \
		--args shrinking,storms
	[ -n "${KNG_SLOW:-}" ] || continue
	# It patches what runs all the time: stale breakpoints, see scripts/vm.
	boot "$kernel-leaving" "$kernel: the guard comes and goes under exchanges" \
		--kernel "$kernel" --scenario exact --timeout 300 --threads single "${tool[@]}" \
		--args leaving
done
unless_slow 'the guard comes and goes under exchanges'
plan
