#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# docs/releases.tsv against the kernels: a release that nobody has read fails here, by name.
# KNG_SLOW=1: those of modules that no guest loads, too.

. "$(dirname "$0")/tap.sh"

for kernel in ${KNG_PATH_KERNELS:-$KERNELS}; do
	add=(--add "$TOP/docs/releases.tsv:/tests/releases.tsv")
	if [ -n "${KNG_SLOW:-}" ]; then
		kfuncs=$(mktemp)
		trap 'rm -f "$kfuncs"' EXIT
		"$TOP/scripts/module-kfuncs" "$kernel" >"$kfuncs" || exit
		add+=(--add "$kfuncs:/tests/module-kfuncs")
	fi
	boot "$kernel" "$kernel: each release is in docs/releases.tsv, each guarded one hooked" \
		--kernel "$kernel" --scenario releases "${add[@]}"
done
plan
