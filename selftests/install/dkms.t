#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The way of the module through the real dkms of a Debian root: add, build,
# install; then a guest loads what came out with the real modprobe, reads the
# stats, unloads; then dkms remove. And who must not install is told so.

. "$(dirname "$0")/../vm/tap.sh"
. "$TOP/scripts/lib.sh"
set +e

check() {
	local what=$1
	shift
	N=$((N + 1))
	if "$@"; then echo "ok $N - $what"; else
		echo "not ok $N - $what"
		echo "# $what: $*" >&2
	fi
}

scratch=$BUILD/run/dkms.$$
trap 'rm -rf "$scratch"' EXIT
version=$(module_version)

in_root() {
	"$SCRIPTS/root" run "$("$SCRIPTS/kernels" release "$kernel")" \
		--bind "$dir/src:/usr/src/$MODULE-$version" \
		--bind "$dir/var:/var/lib/dkms" \
		--bind "$dir/modules:/lib/modules/$kver" -- "$@"
}
dkms_remove() { in_root dkms remove "$MODULE/$version" --all >"$scratch/out" 2>&1; }
status() { in_root dkms status 2>/dev/null; }

for kernel in $KERNELS; do
	kver=$("$SCRIPTS/kernels" kver "$kernel")
	dir=$scratch/$kernel
	check "$kernel: dkms add, build, install" test "$("$SCRIPTS/dkms-build" "$kernel" "$dir")" = "$dir"
	check "$kernel: dkms says so" test "$(status)" = "$MODULE/$version, $kver, x86_64: installed"
	check "$kernel: the module lies where dkms puts it" test -e "$(compgen -G "$dir/modules/updates/dkms/$MODULE.ko*")"
	check "$kernel: depmod found it" grep -q "^updates/dkms/$MODULE.ko" "$dir/modules/modules.dep"
	boot "$kernel" "$kernel: modprobe, stats, rmmod of what dkms installed" \
		--kernel "$kernel" --scenario load --modules "$dir/modules"
	check "$kernel: dkms remove" dkms_remove
	check "$kernel: dkms knows nothing of it" test -z "$(status)"
	check "$kernel: nothing built remains" test -z "$(find "$dir/var" "$dir/modules" -name "$MODULE*")"
	check "$kernel: depmod has forgotten it" test -z "$(grep "$MODULE" "$dir/modules/modules.dep")"
done

# Nobody's user id is not root's, whatever this machine can.
refusal=$(unshare --user "$SCRIPTS/install" 2>&1)
check 'make install without root fails' test $? -eq 2
check 'and says why in one line' test "$(wc -l <<<"$refusal")" -eq 1
echo "# $refusal"
check 'naming the reason' grep -q "^cannot install $MODULE: ..*" <<<"$refusal"
plan
