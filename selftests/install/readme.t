#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# README, followed word by word by a new user: its commands are read out of it and typed
# in a guest with a whole Debian root. One that is not there or fails is a failure.

. "$(dirname "$0")/../vm/tap.sh"
. "$TOP/scripts/lib.sh"
set +e

if [ -z "${KNG_SLOW:-}" ]; then
	echo '1..0 # SKIP ten minutes, and another Debian root: make check-all, or KNG_SLOW=1'
	exit
fi

kernel=${KERNELS%% *}
kver=$("$SCRIPTS/kernels" kver "$kernel")
root=$("$SCRIPTS/root" reader "$kernel") || exit
work=$BUILD/run/$TEST.$$
trap 'rm -rf "$work"' EXIT

# A checkout, without what a test of its own follows (the demo) or what has none.
checkout "$work/project"
"$SCRIPTS/page-commands" "$TOP/README.md" | grep -vx 'make demo' >"$work/commands"

# Each package that it asks for is one of Debian's.
release=$("$SCRIPTS/kernels" release "$kernel")
packages=$(sed -n "s/^sudo apt-get install //p" "$work/commands" | xargs -n 1 | sort -u)
for package in $packages; do
	N=$((N + 1))
	if "$SCRIPTS/apt-private" "$release" apt-cache show "$package" >/dev/null 2>&1; then
		echo "ok $N - Debian has $package"
	else
		echo "not ok $N - Debian has $package"
	fi
done

boot "$kernel" "$kernel: README, word by word" \
	--kernel "$kernel" --scenario readme --timeout "${KNG_README_TIMEOUT:-1200}" --mem 2G --share "$root" \
	--add "$work/project:project" --add "$work/commands:commands" \
	--add "$("$SCRIPTS/kernels" fetch "$kernel")/config:boot/config-$kver"
plan
