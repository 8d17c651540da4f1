#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# docs/releases.tsv against the kernels: a release that nobody has read fails here, by name.
# `make check' asks the newest kernel only. KNG_SLOW=1: those of modules that no guest loads, too.

. "$(dirname "$0")/tap.sh"

kernels=${KNG_PATH_KERNELS:-$KERNELS}
[ -n "${KNG_SLOW:-}" ] || kernels=${kernels##* }
for kernel in $kernels; do
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
unless_slow 'releases on the other kernels, and those of modules that are not loaded'
plan
