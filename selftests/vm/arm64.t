#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# One boot of each arm64 kernel, guarded: what `make check' has of arm64. (`make
# check-arm64' boots the bare ones, too.)

. "$(dirname "$0")/tap.sh"

read -r -a kernels <<<"${KNG_ARM64_KERNELS:-$("$TOP/scripts/kernels" list arm64 | head -n 1)}"
for kernel in "${kernels[@]}"; do
	boot "$kernel" "$kernel: last references in NMI, nested entries, kprobes" \
		--kernel "$kernel" --scenario arm64 --timeout 400 --cmdline "$NOCB"
done
# Debian's kernels sign return addresses where the CPU can. Emulated, that takes longer.
if [ -n "${KNG_SLOW:-}" ]; then
	boot "${kernels[0]}-pauth" "${kernels[0]}: the same with pointer authentication" \
		--kernel "${kernels[0]}" --scenario arm64 --timeout 600 --cmdline "$NOCB" \
		--cpu max,pauth-impdef=on,sve=off --args paca
fi
unless_slow 'with pointer authentication'
plan
