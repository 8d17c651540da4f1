# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The kernel kcsan: storms on all CPUs, with the module coming and going. A race
# counts if one of its two accesses is made by a function of the module's; what the
# kernel does by itself below such a function (its clock, its timers) is only
# listed.

KCSAN=$DBG/kcsan

# races: each report as one line, with what is in its traces
races() {
	dmesg | sed 's/^\[[^]]*\] //' | awk '
		/^BUG: KCSAN/ { if (report) print report; report = $0; next }
		report && /^=====/ { print report; report = ""; next }
		report { report = report " / " $0 }
		END { if (report) print report }'
}
# (The title names both functions.)
ours() { races | cut -d/ -f1,2 | grep 'kptr_nmi_guard'; }
kcsan() { sed -n "s/^$1: *//p" "$KCSAN"; }
# (Faster ones can leave a guest that is slowed down so far no time for anything else.)
storm() { /tests/bpf/teardown --source storm --period-us 500 --timeout 60 "$@"; }

test_module kng_witness
test_module kng_nmi_fire
echo on >"$KCSAN"
setups=$(kcsan setup_watchpoints)
for param in teardown=always teardown=auto reserve=exact; do
	guard_begin $param budget=8
	# The pool grows and shrinks meanwhile.
	: >/tmp/churning
	while [ -e /tmp/churning ]; do
		/tests/bpf/churn --variant die --rounds 20 --dtors 5000 >/dev/null 2>&1
	done &
	churn=$!
	check "$param: storm, array" storm --map array --last --expect-nmi any
	check "$param: storm, hash" storm --map hash --last --expect-nmi any
	check "$param: stores against teardown" /tests/bpf/toctou --dtors 20000 --expect-nmi stub
	rm /tmp/churning
	wait $churn
	note "grown $(stat grown), trimmed $(stat trimmed)"
	check "$param: the pool grew" stat_positive grown
	guard_worked
	guard_end raced nested
done
echo off >"$KCSAN"
note "watchpoints: $(($(kcsan setup_watchpoints) - setups))"
check 'KCSAN looked' test $(($(kcsan setup_watchpoints) - setups)) -gt 1000
note "races in all: $(races | wc -l)"
races | cut -d/ -f1,2 | sort | uniq -c | sed 's/^/# race: /'
ours | sed 's/^/# ours: /'
check 'none in the module' not ours
finish
