#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The guard's tracepoints, with Debian's own perf, bpftrace and bpftool: docs/operate.md is
# read, and what it says about them is typed in a guest.

. "$(dirname "$0")/tap.sh"
. "$TOP/scripts/lib.sh"
set +e

if [ -z "${KNG_SLOW:-}" ]; then
	echo '1..0 # SKIP two minutes, and another Debian root: make check-all, or KNG_SLOW=1'
	exit
fi

work=$BUILD/run/$TEST.$$
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"
"$SCRIPTS/page-commands" "$TOP/docs/operate.md" |
	grep -E '^(perf|bpftrace|bpftool|timeout [0-9]+ bpftool) |/tracing/' >"$work/commands"
for kernel in $KERNELS; do
	root=$("$SCRIPTS/root" tracers "$("$SCRIPTS/kernels" release "$kernel")") || exit
	boot "$kernel" "$kernel: perf, bpftrace and bpftool, as docs/operate.md says" \
		--kernel "$kernel" --scenario tracepoints --timeout 900 --mem 2G --share "$root" \
		--add "$work/commands:commands"
done
plan
