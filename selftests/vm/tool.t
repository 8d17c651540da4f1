#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The tool kptr-nmi-guard, on bare and on guarded machines.

. "$(dirname "$0")/tap.sh"

tool=$("$TOP/scripts/tool") || exit

# answers NAME: each JSON object of a boot parses; there are some.
answers() {
	local log=$TOP/build/logs/$TEST-$1.verdict
	N=$((N + 1))
	if tr -d '\r' <"$log" | sed -n 's/^# json: //p' | perl -MJSON::PP -ne '
		my $answer = decode_json($_); $n++;
		exists $answer->{verdict} && ref $answer->{unseen} or die "no verdict: $_";
		END { $n or die "no JSON\n"; print "# $n JSON objects\n" }'; then
		echo "ok $N - $1: what it says as JSON parses"
	else
		echo "not ok $N - $1: what it says as JSON parses"
	fi
}

for kernel in $KERNELS; do
	for guard in no yes; do
		boot "$kernel-$guard" "$kernel: guard: $guard" --kernel "$kernel" --scenario tool \
			--guard "$guard" --timeout 300 --add "$tool/kptr-nmi-guard:usr/bin/kptr-nmi-guard"
		answers "$kernel-$guard"
	done
done
plan
