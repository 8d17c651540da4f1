#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# make install and make uninstall, with each fault planted that made the guard
# fall off: a version that does not build, a staged kernel, one without headers, a
# broken dkms tree. In a Debian root with real dkms and headers, whose changes are
# thrown away; only the running kernel is a stand-in (inside/lib.sh).
# KNG_SLOW=1: those that cost a build each, too.

. "$(dirname "$0")/../vm/tap.sh"
. "$TOP/scripts/lib.sh"

running=deb13 other=bpo-7.3
for kernel in $running $other; do
	"$SCRIPTS/root" make "$kernel" >/dev/null
done
stock=$BUILD/run/$TEST.$$
trap 'rm -rf "$stock"' EXIT
mkdir -p "$stock"
openssl=
if [ -n "${KNG_SLOW:-}" ]; then
	openssl=$CACHE/openssl-trixie
	"$SCRIPTS/unpacked" trixie "$openssl" openssl
fi
find "$("$SCRIPTS/kernels" fetch $running)/modules/" -name 'overlay.ko*' -exec cp {} "$stock/" \;
"$SCRIPTS/root" run "$("$SCRIPTS/kernels" release $running)" --throwaway --bind "$TOP:/project" \
	--bind "$stock:/stock" ${openssl:+--bind "$openssl:/openssl"} -- bash /project/selftests/install/inside/machine.sh \
	"$("$SCRIPTS/kernels" kver $running)" "$("$SCRIPTS/kernels" kver $other)" ${KNG_SLOW:+slow}
