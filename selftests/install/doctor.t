#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What doctor says, of this machine and of others, played in a Debian root.

. "$(dirname "$0")/../vm/tap.sh"
. "$TOP/scripts/lib.sh"

"$SCRIPTS/root" make deb13 >/dev/null
stock=$BUILD/run/$TEST.$$
trap 'rm -rf "$stock"' EXIT
mkdir -p "$stock"
find "$("$SCRIPTS/kernels" fetch deb13)/modules/" -name 'overlay.ko*' -exec cp {} "$stock/" \;

# Whatever it says of this machine is JSON, with the verdict that its status has.
verdict() {
	local rc=0
	"$SCRIPTS/doctor" --json >"$stock/json" || rc=$?
	perl -MJSON::PP -e 'local $/; my ($rc, $f) = @ARGV; open my $in, "<", $f; my $d = decode_json(<$in>);
		my %rc = (fine => 0, warnings => 1, cannot => 2);
		exit !(@{$d->{checks}} > 5 && $rc{$d->{verdict}} == $rc)' "$rc" "$stock/json"
}
tap=$stock/tap
"$SCRIPTS/root" run "$("$SCRIPTS/kernels" release deb13)" --throwaway --bind "$TOP:/project" \
	--bind "$stock:/stock" -- bash /project/selftests/install/inside/doctor.sh \
	"$("$SCRIPTS/kernels" kver deb13)" >"$tap" || true
N=$(grep -c '^\(not \)\{0,1\}ok ' "$tap")
grep -v '^1\.\.' "$tap"
N=$((N + 1))
if verdict; then echo "ok $N - --json is JSON"; else echo "not ok $N - --json is JSON"; fi
plan
