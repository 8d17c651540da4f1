#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What scripts/kernels does when a download was cut short, when the archive has
# gone on since its lists were fetched, and when there is no archive. With an
# archive of a few empty packages on this machine: real apt, no network.

. "$(dirname "$0")/../vm/tap.sh"
. "$TOP/scripts/lib.sh"
set +e

check() {
	local what=$1
	shift
	N=$((N + 1))
	if "$@"; then echo "ok $N - $what"; else
		echo "not ok $N - $what"
		{
			echo "# false: $*"
			sed 's/^/#   | /' "$here/out"
		} >&2
	fi
}
intact() { dpkg-deb --fsys-tarfile "$1" >/dev/null; }

here=$BUILD/run/$TEST.$$
trap 'rm -rf "$here"' EXIT
mkdir -p "$here/project" "$here/archive"
cp -r "$TOP/scripts" "$here/project/"
cat >"$here/project/scripts/kernels.conf" <<'CONF'
k trixie linux-image- 6.1.1-amd64 6.1.*-amd64
CONF
export KNG_APT_SOURCES=$here/sources
echo "deb [trusted=yes] file:$here/archive ./" >"$KNG_APT_SOURCES"

# deb NAME DEPENDS PATH...: a package of empty files
deb() {
	local dir=$here/deb name=$1
	mkdir -p "$dir/DEBIAN"
	printf 'Package: %s\nVersion: 1\nArchitecture: amd64\nMaintainer: x <x@localhost>\nDescription: x\n%s' \
		"$name" "${2:+Depends: $2
}" >"$dir/DEBIAN/control"
	shift 2
	for file; do
		mkdir -p "$dir/${file%/*}"
		echo "$name" >"$dir/$file"
	done
	dpkg-deb -b "$dir" "$here/archive/${name}_1_amd64.deb" >/dev/null
	rm -r "$dir"
}
# kernel_debs VERSION
kernel_debs() {
	deb "linux-image-$1" '' "boot/vmlinuz-$1" "boot/System.map-$1" "boot/config-$1" "lib/modules/$1/modules.order"
	deb "linux-headers-$1" "linux-headers-$1-common (= 1)" "usr/src/linux-headers-$1/Makefile"
	deb "linux-headers-$1-common" '' "usr/src/linux-headers-$1-common/Makefile"
}
# The archive's list of what it has, or claims to have.
publish() {
	local f
	for f in "$here"/archive/*.deb; do
		dpkg-deb -f "$f"
		printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "${f##*/}" "$(stat -c %s "$f")" \
			"$(sha256sum <"$f" | cut -d' ' -f1)"
	done >"$here/archive/Packages"
}
kernels() {
	rc=0
	"$here/project/scripts/kernels" "$@" >"$here/out" 2>&1 || rc=$?
}
debs=$here/project/build/cache/debs
has() { [ "$(tail -n 1 "$here/out")" = "$here/project/build/cache/kernels/$1" ] && [ -s "$here/project/build/cache/kernels/$1/vmlinuz" ]; }
anew() { rm -rf "$here/project/build/cache/kernels"; }

kernel_debs 6.1.1-amd64
publish
kernels fetch k
check 'a kernel is fetched' has 6.1.1-amd64
check 'without leftovers' test -z "$(find "$debs" -name '.new*')"

# A download that was cut short, under its final name.
for how in 'half of it' nothing 'something else'; do
	anew
	deb=$(compgen -G "$debs/linux-headers-*-amd64_*.deb")
	case $how in
	half*) truncate -s $(($(stat -c %s "$deb") / 2)) "$deb" ;;
	nothing) : >"$deb" ;;
	*) seq 1000 >"$deb" ;;
	esac
	kernels headers k
	check "a damaged package in the cache ($how) is found" grep -q 'is damaged' "$here/out"
	check 'and fetched anew' intact "$deb"
done

# No archive: what the cache has is enough.
mv "$here/archive" "$here/archive.away"
anew
kernels headers k
check 'without the archive the cache is enough' test "$rc" -eq 0
rm -f "$debs"/*
kernels fetch k
check 'without both it fails' test "$rc" -ne 0
check 'and says what it lacks' grep -q 'cannot ' "$here/out"
mv "$here/archive.away" "$here/archive"
kernels fetch k
check 'with the archive back it goes on' has 6.1.1-amd64

# The archive has gone on: the pinned kernel is gone, the lists still name it.
rm -f "$debs"/* "$here/archive"/*
anew
kernel_debs 6.1.2-amd64
publish
kernels fetch k
check 'a kernel that is gone: the lists are fetched anew' grep -q 'package lists of trixie anew' "$here/out"
check 'and the newer one is taken' has 6.1.2-amd64
kernels kver k
check 'for good' grep -qx 6.1.2-amd64 "$here/out"

# Only its headers are gone: the image alone is of no use.
rm -f "$here/archive/linux-headers-6.1.2"* "$debs"/*
anew
kernel_debs 6.1.3-amd64
publish
kernels fetch k
check 'without headers a newer kernel is taken, too' has 6.1.3-amd64
plan
