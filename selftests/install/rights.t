#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The module loads with no right but that of loading modules: CAP_SYS_MODULE as
# the only capability, and a domain of SELinux, enforcing, that may not use bpf(2),
# as systemd-modules-load has on Fedora. The policy is selinux/loader.cil.

. "$(dirname "$0")/../vm/tap.sh"
. "$TOP/scripts/lib.sh"

kernel=${KERNELS%% *}
release=$("$SCRIPTS/kernels" release "$kernel")
root=$("$SCRIPTS/root" make "$kernel")
policy=$CACHE/selinux/$release
source=$TOP/selftests/install/selinux

# The compiler of the root's own release, unpacked, not installed.
(
	with_lock "selinux-$release"
	hash=$(tree_hash "$source" "$0")
	if [ "$(cat "$policy/hash" 2>/dev/null)" != "$hash" ]; then
		rm -rf "$policy"
		mkdir -p "$policy"
		"$SCRIPTS/download" "$release" secilc libsepol2 >"$policy/debs"
		while read -r deb; do
			dpkg-deb -x "$deb" "$policy"
		done <"$policy/debs"
		run_logged "$LOGS/selinux-$release.log" "$SCRIPTS/root" run "$release" --throwaway \
			--bind "$policy:/kng" --bind "$source:/cil" -- \
			env LD_LIBRARY_PATH=/kng/usr/lib/x86_64-linux-gnu /kng/usr/bin/secilc -M false \
			-c 33 -o /kng/policy -f /tmp/contexts /cil/loader.cil
		echo "$hash" >"$policy/hash"
	fi
) || exit

libs=$root/usr/lib/x86_64-linux-gnu
boot "$kernel" "$kernel: loads with CAP_SYS_MODULE alone, and where SELinux forbids bpf(2)" \
	--kernel "$kernel" --scenario rights --cmdline 'security=selinux selinux=1' \
	--add "$policy/policy:policy" --add "$root/usr/bin/setpriv:usr/bin/setpriv" \
	--add "$(readlink -f "$libs/libcap-ng.so.0"):usr/lib/x86_64-linux-gnu/libcap-ng.so.0"
plan
