#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The playbooks of examples/ansible, run in a guest with a whole Debian root: install,
# parameters, verify, roll back.

. "$(dirname "$0")/../vm/tap.sh"
. "$TOP/scripts/lib.sh"
set +e

if [ -z "${KNG_SLOW:-}" ]; then
	echo '1..0 # SKIP thirteen minutes, and another Debian root: make check-all, or KNG_SLOW=1'
	exit
fi

kernel=${KERNELS%% *}
kver=$("$SCRIPTS/kernels" kver "$kernel")
root=$("$SCRIPTS/root" ansible "$kernel") || exit
work=$BUILD/run/$TEST.$$
trap 'rm -rf "$work"' EXIT
checkout "$work/project"
boot "$kernel" "$kernel: the playbooks: install, verify, roll back" \
	--kernel "$kernel" --scenario ansible --timeout 1800 --mem 2G --share "$root" \
	--add "$work/project:project" \
	--add "$("$SCRIPTS/kernels" fetch "$kernel")/config:boot/config-$kver"
plan
