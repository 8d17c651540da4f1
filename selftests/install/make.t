#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `make install` and `make uninstall` in a guest with a whole Debian root, as on
# a real machine. Takes five minutes, and many more beside other work: an emulated
# CPU starts ten programs a second, and the kernel's makefiles start hundreds. So
# only `make check-all` runs it; dkms.t does the same in parts, with dkms outside
# the guest.

. "$(dirname "$0")/../vm/tap.sh"
. "$TOP/scripts/lib.sh"

if [ -z "${KNG_SLOW:-}" ]; then
	echo '1..0 # SKIP five minutes: make check-all, or KNG_SLOW=1'
	exit
fi

for kernel in $KERNELS; do
	kver=$("$SCRIPTS/kernels" kver "$kernel")
	project=$BUILD/run/project.$$
	trap 'rm -rf "$project"' EXIT
	copy_module_sources "$project"
	cp -r "$TOP/Makefile" "$TOP"/{scripts,system,man} "$project/"
	boot "$kernel" "$kernel: make install, make uninstall on Debian" \
		--kernel "$kernel" --scenario install --timeout 2400 --mem 2G \
		--share "$("$SCRIPTS/root" make "$kernel")" \
		--add "$project:project" \
		--add "$("$SCRIPTS/kernels" fetch "$kernel")/config:boot/config-$kver"
	rm -rf "$project"
done
plan
