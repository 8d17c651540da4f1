# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by the tests in selftests/vm: one TAP line per boot.

set -u
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
TEST=$(basename "$0" .t)
N=0
# `make check-all` gives them all; one test may still ask for a certain kernel.
export KERNELS=${KNG_KERNELS:-$("$TOP/scripts/kernels" list | head -n 1)}

# Those that free the kptrs of maps in NMI; since 7.2 none does.
TEARDOWN_KERNELS=
for kernel in $KERNELS; do
	case $kernel in
	bpo-*) ;;
	*) TEARDOWN_KERNELS+="$kernel " ;;
	esac
done

# What makes call_rcu() take the lock that the NMI finds held.
export NOCB='rcu_nocbs=all rcutree.enable_rcu_lazy=0'

# site_on KERNEL SITE...: gcc 12 inlines insert_work(); its caller's next call
# runs under the same lock. On arm64 and with LTO both are inline, but not what runs there just
# before.
site_on() {
	case $1 in
	deb12-*) echo "${2/insert_work/kick_pool}" ;;
	*-arm64 | lto) echo "${2/insert_work/pwq_tryinc_nr_active}" ;;
	*) echo "$2" ;;
	esac
}

# boot NAME DESCRIPTION VM-OPTION...
boot() {
	local name=$TEST-$1 what=$2 out
	shift 2
	N=$((N + 1))
	if out=$("$TOP/scripts/vm" --name "$name" "$@" 2>&1); then
		echo "ok $N - $what"
		printf '%s\n' "$out" | sed 's/^/# /'
	else
		echo "not ok $N - $what"
		# prove shows what is said here at once.
		printf '%s\n' "$out" | sed 's/^/# /' >&2
	fi
}

# boot_hung NAME DESCRIPTION VM-OPTION...: a boot that can hang. That is what is claimed: an
# aimed NMI still needs the lock of the right CPU or worker pool to be held.
boot_hung() {
	local name=$TEST-$1 what=$2 out try
	shift 2
	N=$((N + 1))
	for try in 1 2 3; do
		if out=$("$TOP/scripts/vm" --name "$name" "$@" --expect hung 2>&1); then
			echo "ok $N - $what"
			printf '%s\n' "$out" | sed 's/^/# /'
			return
		fi
		echo "# $what: not at try $try"
		echo "$name: did not hang at try $try of 3" >>"$TOP/build/logs/retries"
	done
	echo "not ok $N - $what"
	printf '%s\n' "$out" | sed 's/^/# /' >&2
}

# left_out DESCRIPTION [WHY]: what this run does not do, said aloud. scripts/tally repeats it.
left_out() {
	N=$((N + 1))
	echo "ok $N - $1 # SKIP ${2:-make check-all, or KNG_SLOW=1}"
}
# unless_slow DESCRIPTION: the same, where KNG_SLOW would do it
unless_slow() { [ -n "${KNG_SLOW:-}" ] || left_out "$1"; }

# complains NAME DESCRIPTION WORDS ABOUT VM-OPTION...: a debug kernel says WORDS,
# and ABOUT within the lines that follow, and scripts/vm calls that boot failed.
complains() {
	local name=$TEST-$1 what=$2 words=$3 about=$4 console out
	shift 4
	console=$TOP/build/logs/$name.console
	N=$((N + 1))
	if out=$("$TOP/scripts/vm" --name "$name" "$@" 2>&1); then
		echo "not ok $N - $what: taken for a good boot"
	elif grep -aE -A 40 -- "$words" "$console" | grep -aEq -- "$about"; then
		echo "ok $N - $what: $(grep -aoEm 1 -- "$words.*" "$console" | tr -d '\r')"
		return
	else
		echo "not ok $N - $what: nothing like '$words' about '$about' on the console"
	fi
	printf '%s\n' "$out" | sed 's/^/# /' >&2
}

# skip DESCRIPTION: what can't be tested here, and why
skip() {
	N=$((N + 1))
	echo "ok $N - $1 # SKIP"
}

plan() {
	if [ "$N" -gt 0 ]; then
		echo "1..$N"
	else
		echo '1..0 # SKIP not for these kernels'
	fi
}

# checkout DIR: the project's files there, without what guests have no use for
checkout() {
	mkdir -p "$1"
	git -C "$TOP" ls-files -z 2>/dev/null | (cd "$TOP" && tar -c --null --ignore-failed-read -T -) |
		tar -C "$1" -x --no-same-owner --exclude='selftests/*'
}
