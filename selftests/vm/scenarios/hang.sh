# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The deterministic deadlock: an NMI inside the function named by the first
# word of $ARGS, while its caller holds a lock that the destructors want.
# More words go to the test program.
# Without the guard this hangs. With it: survives by the release door, as it comes, and
# by the teardown door; the stats add up, rmmod reverts, and the same program runs on
# without NMIs.

# shellcheck disable=SC2086 # words
set -- $ARGS
at=$1
shift

run() { /tests/bpf/teardown --map array --last "$@"; }

test_module kng_witness
test_module kng_nmi_at "at=$at"
note "workload: NMIs in $at tear down maps that hold last references"
# The release door is in the destructor's place, so that is called, and a stub runs.
expect=stub
guard_wanted || expect=some
guard_begin
check 'the workload comes to its end' run --source at --expect-nmi $expect "$@"
guard_worked
if guard_wanted; then
	check 'by the release door' stat_is taken_release "$(stat taken)"
fi
guard_end
if guard_wanted; then
	guard_begin teardown=always
	check 'once more, to its end' run --source at --expect-nmi 0 "$@"
	guard_worked
	check 'by the teardown door' stat_is taken_release 0
	guard_end
	check 'the same program without NMIs' run --source none --expect-nmi 0 "$@" --rounds 32
fi
finish
