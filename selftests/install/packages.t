#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# make deb, make rpm and make dist; and what dpkg and rpm then do: install,
# upgrade with the old module loaded, a kernel that arrives, one that the guard
# does not compile on, one without headers, purge. On Debian 13 and 12.

. "$(dirname "$0")/../vm/tap.sh"
. "$TOP/scripts/lib.sh"
set +e

if [ -z "${KNG_SLOW:-}" ]; then
	echo '1..0 # SKIP three minutes, and three more Debian roots: make check-all, or KNG_SLOW=1'
	exit
fi

not() { ! "$@"; }
check() {
	local what=$1
	shift
	N=$((N + 1))
	if "$@"; then echo "ok $N - $what"; else echo "not ok $N - $what"; fi
}
# part DESCRIPTION COMMAND...: which prints TAP of its own
part() {
	local what=$1
	shift
	echo "# $what"
	if "$@" >"$work/tap"; then
		check "$what" grep -q '^ok ' "$work/tap"
	else
		check "$what" false
	fi
	sed 's/^/    /' "$work/tap"
}

work=$BUILD/run/$TEST.$$
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{stock,deb,rpm/1,rpm/2}
find "$("$SCRIPTS/kernels" fetch deb13)/modules/" -name 'overlay.ko*' -exec cp {} "$work/stock/" \;
kver() { "$SCRIPTS/kernels" kver "$1"; }
for kernel in deb13 bpo-7.3 deb12-6.12; do
	"$SCRIPTS/root" make $kernel >/dev/null
done
# in_root RELEASE SCRIPT KERNEL...
in_root() {
	local release=$1 script=$2 args=()
	shift 2
	for kernel; do args+=("$(kver "$kernel")"); done
	"$SCRIPTS/root" run "$release" --throwaway --bind "$TOP:/project" --bind "$work/stock:/stock" \
		--bind "$work/deb/$release:/packages" ${initramfs:+--bind "$initramfs:/initramfs"} -- bash "/project/selftests/install/inside/$script" "${args[@]}"
}

file=$("$SCRIPTS/package" dist)
check 'make dist' test -s "$file"
sum=$(sha256sum <"$file")
# shellcheck disable=SC2016 # the inner shell expands it
check 'with its checksum' sh -c 'cd "$1" && sha256sum -c SHA256SUMS >/dev/null' sh "${file%/*}"
mkdir -p "$work/elsewhere"
git -C "$TOP" ls-files | tar -C "$TOP" -c -T - | tar -C "$work/elsewhere" -x -m
check 'from another directory, with other dates: the same bytes' test \
	"$(sha256sum <"$(umask 077; "$work/elsewhere/scripts/package" dist)")" = "$sum"
check 'the version is that of dkms.conf' test "${file##*/}" = "kptr-nmi-guard-$(module_version).tar.gz"

# lintian_silent RELEASE: it ran, and had nothing to say
lintian_silent() {
	grep -q "^running lintian" "$LOGS/deb-$1.log" && ! grep -q '^[EWIPXNO]: ' "$LOGS/deb-$1.log"
}
# The maintainer that packages name can be reached: it is one whom commits are from.
address=$(sed -n 's/^Maintainer: .*<\(.*\)>$/\1/p' "$TOP/debian/control")
check "the maintainer's address is that of commits" grep -qxF "${address:-none}" <(git -C "$TOP" log --format=%ae)

# The command is a program: what was linked on Debian 13 does not run on 12.
for release in trixie bookworm; do
	"$SCRIPTS/package" deb $release >"$work/debs"
	check "make deb for $release" test "$(wc -l <"$work/debs")" -eq 2
	mkdir -p "$work/deb/$release"
	xargs -a "$work/debs" cp -t "$work/deb/$release"
	check "$release's lintian has no tag" lintian_silent $release
done
check 'each man page is in the package' test "$(dpkg-deb -c "$work"/deb/trixie/kptr-nmi-guard_*.deb |
	grep -o '[^/]*\.[48]\.gz$' | sort)" = "$(cd "$TOP/man" && printf '%s.gz\n' * | sort)"
initramfs=$CACHE/initramfs-trixie
"$SCRIPTS/unpacked" trixie "$initramfs" initramfs-tools-core initramfs-tools initramfs-tools-bin dracut-install \
	klibc-utils libklibc cpio logsave mount
part 'Debian 13: the packages' in_root trixie deb.sh deb13 bpo-7.3
initramfs=
part 'Debian 12: the packages' in_root bookworm deb.sh deb12-6.12

"$SCRIPTS/package" rpm >"$work/rpms"
check 'make rpm' test "$(wc -l <"$work/rpms")" -eq 2
xargs -a "$work/rpms" cp -t "$work/rpm/1"
KNG_VERSION=99.0 "$SCRIPTS/package" rpm | xargs cp -t "$work/rpm/2"
rm -f "$BUILD"/rpm/*-99.0-* "$BUILD"/dist/*-99.0.*

# One number feeds all: with another in dkms.conf, nothing says the old one.
check 'no source has the number but dkms.conf' not git -C "$TOP" grep -qF "$(module_version)" \
	-- scripts tools man system debian packaging module include monitoring Kbuild dkms.mk Makefile README.md
mkdir -p "$work/unpacked"
for rpm in "$work"/rpm/2/*.rpm; do
	"$SCRIPTS/root" run trixie-pkg --bind "$work:/kng" -- sh -c "cd /kng/unpacked && rpm2archive -n - <'/kng/rpm/2/${rpm##*/}' | tar -x"
done
check 'of another version all of it is' test "$(cat "$work/unpacked/usr/lib/kptr-nmi-guard/version")" = 99.0
check 'the sources' grep -q '^PACKAGE_VERSION="99.0"' "$work/unpacked/usr/src/$MODULE-99.0/dkms.conf"
check 'the man pages' test "$(zgrep -l 'kptr_nmi_guard 99\.0' "$work"/unpacked/usr/share/man/man*/* | wc -l)" -eq \
	"$(find "$TOP/man" -type f | wc -l)"
check 'the command' grep -q '99\.0' <("$SCRIPTS/root" run trixie-pkg --bind "$work:/kng" -- \
	/kng/unpacked/usr/sbin/kptr-nmi-guard --version)
part 'the RPMs, with rpm --root and their scriptlets' "$SCRIPTS/root" run trixie-pkg --throwaway \
	--layer trixie:/target --bind "$TOP:/project" --bind "$work/stock:/stock" \
	--bind "$work/rpm:/packages" -- bash /project/selftests/install/inside/rpm.sh "$(kver deb13)" "$(kver bpo-7.3)"
plan
