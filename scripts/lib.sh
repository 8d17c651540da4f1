# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by the scripts in this directory: where things are, how to speak,
# how to be alone. Sets -euo pipefail for them all.

set -euo pipefail
export LC_ALL=C

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$TOP/build
CACHE=$BUILD/cache
LOGS=$BUILD/logs
SCRIPTS=$TOP/scripts
PROG=${0##*/}
export TOP BUILD CACHE LOGS SCRIPTS

# Progress goes to stderr: stdout is each script's answer.
say() { [ -n "${KNG_QUIET:-}" ] || printf '%s\n' "  $*" >&2; }
die() { printf '%s: %s\n' "$PROG" "$*" >&2; exit 2; }

# run_logged LOG COMMAND...: output to LOG; on failure its tail is shown.
run_logged() {
	local log=$1 rc=0
	shift
	mkdir -p "${log%/*}"
	"$@" >"$log" 2>&1 </dev/null || rc=$?
	[ "$rc" -eq 0 ] && return 0
	tail -n 15 "$log" | sed 's/^/    | /' >&2
	printf '%s\n' "    | (all of it: $log)" >&2
	return "$rc"
}

# with_lock NAME: this process holds build/cache/NAME.lock until it ends.
# Independent boots run side by side; what they share is made by one of them.
with_lock() {
	mkdir -p "$CACHE"
	exec {LOCK_FD}>"$CACHE/$1.lock"
	flock "$LOCK_FD"
}

# tree_hash PATH...: one hash over names and contents of the files below.
tree_hash() {
	local p
	for p; do
		[ -e "$p" ] && find "$p" -type f ! -name '*.o' ! -name '*.ko' -print0
	done | sort -z | xargs -0 -r sha256sum | sed "s|$TOP/||" | sha256sum | cut -c1-16
}

# copy_tree DIR: what is tracked, or would be; without what was built.
copy_tree() {
	if [ "$(git -C "$TOP" rev-parse --show-toplevel 2>/dev/null)" = "$TOP" ]; then
		git -C "$TOP" ls-files -z --cached --others --exclude-standard
	else
		(cd "$TOP" && find . \( -path ./.git -o -path ./build \) -prune -o -type f -print0)
	fi | tar -C "$TOP" -c --null --ignore-failed-read -T - 2>/dev/null | tar -C "$1" -x
}

# The module's sources: what dkms gets, and nothing else.
MODULE_FILES=(Kbuild dkms.conf dkms.mk module include)
export MODULE=kptr_nmi_guard

module_version() {
	sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$TOP/dkms.conf"
}

module_hash() {
	tree_hash "${MODULE_FILES[@]/#/$TOP/}"
}

# copy_module_sources DIR
copy_module_sources() {
	mkdir -p "$1"
	tar -C "$TOP" -c --exclude='*.o' --exclude='*.ko' --exclude='.*.cmd' "${MODULE_FILES[@]}" |
		tar -C "$1" -x --no-same-owner
}

# machine_of ARCH: what uname -m says on Debian's architecture of that name
machine_of() {
	case $1 in
	amd64) echo x86_64 ;;
	arm64) echo aarch64 ;;
	*) die "unknown architecture '$1'" ;;
	esac
}

# cross_environment ARCH: what kbuild needs in its environment, one in each line,
# to build for it in the root that scripts/root made for it
cross_environment() {
	[ "$1" != arm64 ] || printf '%s\n' ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-
}
