#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# That selftests/kernel/compare can fail: verdicts that differ, are not OK, are
# missing, or are better than what is listed.

dir=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
N=0

# A test without subtests, one with, one that fails with reserve=exact only, and
# one that nobody can run. A subtest's name may be anything.
printf '%s\n' alone many differs never >"$tmp/tests"
cat >"$tmp/expected" <<-LIST
	# comment
	all|many/b: 2 (x)|FAIL|no option
	all|never|SKIP|no tool
	exact|differs|FAIL|on purpose
LIST
cat >"$tmp/bare" <<-SAID
	# other lines
	# verdict #1 alone:OK
	# verdict #2/1 many/a:OK
	# verdict #2/2 many/b: 2 (x):FAIL
	# verdict #2 many:FAIL
	# verdict #3 differs:OK
	# verdict #4 never:SKIP
SAID
sed 's/differs:OK/differs:FAIL/' "$tmp/bare" >"$tmp/exact"

# says DESCRIPTION WANTED [SED-SCRIPT [FILE]]: compare, with one file changed, prints
# a line that matches; its lines without numbers.
says() {
	local what=$1 wanted=$2 out
	cp "$tmp/${4:-exact}" "$tmp/kept"
	sed -i "${3:-}" "$tmp/${4:-exact}"
	out=$("$dir/compare" "$tmp/expected" "$tmp/tests" bare="$tmp/bare" exact="$tmp/exact" 2>&1)
	mv "$tmp/kept" "$tmp/${4:-exact}"
	N=$((N + 1))
	if grep -qE -- "$wanted" <<<"$out"; then
		echo "ok $N - $what"
	else
		echo "not ok $N - $what: no line '$wanted'"
		printf '%s\n' "$out" | sed 's/^/# /' >&2
	fi
}

says 'all the same: ok' '^ok - alone: 1 of 1 OK in each boot$'
says 'what is listed: ok, with its reason' '^ok - many: 1 of 2 OK in each boot; many/b: 2 \(x\) is FAIL \(no option\)$'
says 'what is listed for one boot: ok, too' '^ok - differs: .*; exact: differs is FAIL \(on purpose\)$'
says 'nothing OK: skipped, not passed' '^ok - never # SKIP .*no tool'
says 'it counts' '^# exact: 4 tests, 5 verdicts: 2 OK, 1 SKIP, 2 FAIL, 0 none$'
says 'a verdict that differs' '^not ok - alone' s/alone:OK/alone:FAIL/
says 'a skip that differs' '^not ok - many' s,many/a:OK,many/a:SKIP,
says 'a verdict that is missing' '^not ok - many' '/many.a/d'
says 'a test without verdict' '^not ok - alone' '/alone/d'
says 'a test that fails though its subtests do not' '^not ok - many' 's/x):FAIL/x):OK/'
says 'what is listed and OK' '^not ok - never' s/never:SKIP/never:OK/
says 'not OK in both, not listed' '^not ok - never' /never/d expected
says 'what is listed and not there' '^not ok - gone' 's/never|/gone|/' expected
says 'a list without a reason' 'no reason' 's/|no tool//' expected
says 'a boot without verdicts' '^not ok - exact: nothing was OK' d
echo "1..$N"
