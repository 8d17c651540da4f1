#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# README's `make demo' on a Debian machine of the release that the kernel comes from, with
# the packages that the demo itself asks for and no others: its own compilers, libraries and
# emulator, whatever this machine has. Without a network: the cache is shared.

. "$(dirname "$0")/../vm/tap.sh"
. "$TOP/scripts/lib.sh"
set +e

if [ -z "${KNG_SLOW:-}" ]; then
	echo '1..0 # SKIP five minutes, and another Debian root: make check-all, or KNG_SLOW=1'
	exit
fi

kernel=${KERNELS%% *}
release=$("$SCRIPTS/kernels" release "$kernel")
"$SCRIPTS/root" make "$kernel" >/dev/null && "$SCRIPTS/root" host "$release" >/dev/null &&
	"$SCRIPTS/emulator" >/dev/null || exit
work=$BUILD/run/$TEST.$$
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/project"
copy_tree "$work/project"
mkdir -p "$work/project/build/cache"

# Without a network, if that can be had.
offline=()
[ "$(id -u)" -ne 0 ] || offline=(unshare --net)
N=1
if "${offline[@]}" "$SCRIPTS/root" run "$release-host" --bind "$work/project:/kng" --bind "$CACHE:/kng/build/cache" -- \
	make -C /kng demo KERNEL="$kernel" >"$work/out" 2>&1 </dev/null; then
	echo "ok 1 - make demo on Debian $release"
	sed 's/^/# /' "$work/out"
else
	echo "not ok 1 - make demo on Debian $release"
	sed 's/^/# /' "$work/out" >&2
fi
check_says() {
	N=$((N + 1))
	if grep -q "$1" "$work/out"; then echo "ok $N - it shows: $1"; else echo "not ok $N - it shows: $1"; fi
}
check_says 'the bare kernel HANGS'
check_says 'the guarded kernel LIVES'
check_says 'DEMO PASSED'
plan
