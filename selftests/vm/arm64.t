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
plan
