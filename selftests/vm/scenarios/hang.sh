# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The deterministic deadlock: an NMI inside the function named by the first
# word of $ARGS, while its caller holds a lock that the destructors want.
# More words go to the test program.
# Without the guard this hangs. With it: survives, the stats add up, rmmod
# reverts, and the same program runs on without NMIs.

# shellcheck disable=SC2086 # words
set -- $ARGS
at=$1
shift

run() { /tests/bpf/teardown --map array --last "$@"; }

test_module kng_witness
test_module kng_nmi_at "at=$at"
guard_begin teardown=always
note "workload: NMIs in $at tear down maps that hold last references"
check 'the workload comes to its end' run --source at --expect-nmi "$(expected_in_nmi)" "$@"
guard_worked
guard_end
if guard_wanted; then
	check 'the same program without NMIs' run --source none --expect-nmi 0 "$@" --rounds 32
fi
finish
