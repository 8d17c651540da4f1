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
		--bind "$work/deb/$release:/packages" -- bash "/project/selftests/install/inside/$script" "${args[@]}"
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
# The command is a program: what was linked on Debian 13 does not run on 12.
for release in trixie bookworm; do
	"$SCRIPTS/package" deb $release >"$work/debs"
	check "make deb for $release" test "$(wc -l <"$work/debs")" -eq 2
	mkdir -p "$work/deb/$release"
	xargs -a "$work/debs" cp -t "$work/deb/$release"
	check "$release's lintian has no tag" lintian_silent $release
done
part 'Debian 13: the packages' in_root trixie deb.sh deb13 bpo-7.3
part 'Debian 12: the packages' in_root bookworm deb.sh deb12-6.12

"$SCRIPTS/package" rpm >"$work/rpms"
check 'make rpm' test "$(wc -l <"$work/rpms")" -eq 2
xargs -a "$work/rpms" cp -t "$work/rpm/1"
KNG_VERSION=99.0 "$SCRIPTS/package" rpm | xargs cp -t "$work/rpm/2"
rm -f "$BUILD"/rpm/*-99.0-* "$BUILD"/dist/*-99.0.*
part 'the RPMs, with rpm --root and their scriptlets' "$SCRIPTS/root" run trixie-pkg --throwaway \
	--layer trixie:/target --bind "$TOP:/project" --bind "$work/stock:/stock" \
	--bind "$work/rpm:/packages" -- bash /project/selftests/install/inside/rpm.sh "$(kver deb13)" "$(kver bpo-7.3)"
plan
