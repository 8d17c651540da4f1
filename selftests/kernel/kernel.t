#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Somebody else's tests: the kernel's own BPF selftests that use kptrs, on a stock
# kernel without the guard, with it, and with all of it that programs could notice
# (teardown=always reserve=exact). The verdicts must be the same, subtest by
# subtest; those that are not OK must be in the file "expected", with the reason.
#
#   KNG_KERNELS=NAME    on another kernel than the first of kernels.conf

. "$(dirname "$0")/../vm/tap.sh"

kernel=${KERNELS%% *}
here=$TOP/selftests/kernel

if ! built=$("$TOP/scripts/kernel-selftests" "$kernel"); then
	echo "Bail out! the kernel's selftests do not build"
	exit 1
fi
config=$("$TOP/scripts/kernels" fetch "$kernel")/config

# run NAME DESCRIPTION WORDS: a boot whose log is to be compared. (The bare one has
# the module, too, and does not load it: nothing else is different.)
logs=()
run() {
	boot "$1" "$kernel: the kernel's own selftests, $2" --kernel "$kernel" --scenario kernel \
		--args "$3" --timeout 2400 --add "$built:/tests/kernel" \
		--add "$config:/boot/config-$("$TOP/scripts/kernels" kver "$kernel")"
	logs+=("$1=$TOP/build/logs/$TEST-$1.verdict")
}
run bare bare bare
run guarded guarded guarded
run exact 'guarded with teardown=always reserve=exact' guarded,teardown=always,reserve=exact

wanted=$((N + $(wc -l <"$built/tests")))
while read -r line; do
	N=$((N + 1))
	echo "${line/ok -/ok $N -}"
done < <("$here/compare" "$here/expected" "$built/tests" "${logs[@]}")
if [ "$N" -lt "$wanted" ]; then
	echo "not ok $((N += 1)) - the verdicts can't be compared"
fi
plan
