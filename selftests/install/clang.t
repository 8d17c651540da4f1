#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A kernel that clang built, on Debian 12, whose dkms does not add LLVM=1: the module
# is built by clang and LLVM's tools alone, and doctor asks for them. (That the whole
# guard compiles so, and runs, is check-flavours' to show.)

. "$(dirname "$0")/../vm/tap.sh"
. "$TOP/scripts/lib.sh"

if [ -z "${KNG_SLOW:-}" ]; then
	echo '1..0 # SKIP one more Debian root, with clang: make check-all, or KNG_SLOW=1'
	exit
fi

kernel=deb12-6.12
root=$("$SCRIPTS/root" llvm $kernel)
stock=$BUILD/run/$TEST.$$
trap 'rm -rf "$stock"' EXIT
mkdir -p "$stock"
find "$("$SCRIPTS/kernels" fetch $kernel)/modules/" -name 'overlay.ko*' -exec cp {} "$stock/" \;
"$SCRIPTS/root" run "$(basename "$root")" --throwaway --bind "$TOP:/project" --bind "$stock:/stock" \
	-- bash /project/selftests/install/inside/clang.sh "$("$SCRIPTS/kernels" kver $kernel)"
