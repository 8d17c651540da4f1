#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The module stays out of initramfs images that dracut makes, or is taken out.

. "$(dirname "$0")/../vm/tap.sh"
. "$TOP/scripts/lib.sh"

if [ -z "${KNG_SLOW:-}" ]; then
	echo '1..0 # SKIP three images and one more Debian root: make check-all, or KNG_SLOW=1'
	exit
fi

release=$("$SCRIPTS/kernels" release deb13)
kver=$("$SCRIPTS/kernels" kver deb13)
"$SCRIPTS/root" boot "$release" >/dev/null
work=$BUILD/run/$TEST.$$
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"
cp -a "$("$SCRIPTS/dkms-build" deb13)/modules" "$work/stock"
mv "$work/stock/updates" "$work/guard"
rm -f "$work/stock"/{build,source}
"$SCRIPTS/root" run "$release-boot" --throwaway --bind "$TOP:/project" --bind "$work/stock:/stock" \
	--bind "$work/guard:/guard" -- bash /project/selftests/install/inside/dracut.sh "$kver"
