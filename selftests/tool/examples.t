#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# examples/: what they name exists; and the linters that know their formats, where these
# are installed, find nothing.

set -u
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$TOP/examples" || exit
N=0
check() {
	local what=$1
	shift
	N=$((N + 1))
	if out=$("$@" 2>&1); then
		echo "ok $N - $what"
	else
		echo "not ok $N - $what"
		printf '%s\n' "$out" | tail -n 20 | sed 's/^/#   | /'
	fi
}
skip() {
	N=$((N + 1))
	echo "ok $N - $1 # SKIP $2"
}

# The playbook unpacks what is distributed: that is enough for its steps.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2016 # the inner shell expands it
check 'the sources are packed' sh -c '"$1/scripts/package" dist >"$2/dist"' sh "$TOP" "$work"
check 'and unpacked' tar -C "$work" --strip-components=1 -xf "$(cat "$work/dist")"
check 'with these files the module can be staged' "$work/scripts/install-files" sources "$work/root"
check 'and what belongs to it' "$work/scripts/install-files" tool "$work/root"
check 'and the command be built' make -s -C "$work/tools" OUT="$work/build"
check 'and installed' make -s -C "$work/tools" OUT="$work/build" install DESTDIR="$work/root"

# A status of the command for each label that the DaemonSet makes of it
word() {
	mkdir -p "$work/sys/module"
	"$work/build/kptr-nmi-guard" status --nagios --root "$work" |
		sed 's/.* - //; s/[:|].*//; s/ *$//; s/ /-/g'
}
check 'the DaemonSet cuts the label out in the same way' grep -qF \
	"sed 's/.* - //; s/[:|].*//; s/ *\$//; s/ /-/g'" kubernetes/node-label.yaml
check 'label: not-loaded' test "$(word)" = not-loaded
mkdir -p "$work/sys/module/kptr_nmi_guard/stats"
echo 0 >"$work/sys/module/kptr_nmi_guard/stats/pending"
echo ok >"$work/sys/module/kptr_nmi_guard/health"
check 'label: ok' test "$(word)" = ok
echo 'degraded: shortfall=3, empty=1' >"$work/sys/module/kptr_nmi_guard/health"
check 'label: degraded' test "$(word)" = degraded

if command -v ansible-lint >/dev/null; then
	# Ansible refuses to run in a locale that is not UTF-8.
	export LC_ALL=C.UTF-8
	for playbook in install verify upgrade-kernel rollback; do
		check "ansible: $playbook.yml: syntax" ansible-playbook -i ansible/inventory.ini \
			--syntax-check "ansible/$playbook.yml"
	done
	check 'ansible-lint' sh -c 'cd ansible && ansible-lint --nocolor --offline -- *.yml'
else
	skip 'ansible' 'no ansible-lint: apt-get install ansible-lint'
fi
echo "1..$N"
