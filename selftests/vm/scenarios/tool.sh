# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# kptr-nmi-guard on a bare machine and on a guarded one. Lines "# json: " and
# "# prom: " are for the host, which has programs that know whether they are right.

tool=/usr/bin/kptr-nmi-guard
echo 'nobody:x:65534:65534::/:/bin/sh' >/etc/passwd
exposed=

# run NAME OPTION...: its status goes to $rc, what it said to /tmp/NAME, and to the log
run() {
	said=/tmp/$1
	shift
	rc=0
	"$tool" "$@" >"$said" 2>&1 || rc=$?
	note "\$ kptr-nmi-guard $*  (exit status $rc)"
	sed 's/^/#   | /' "$said"
}
json() {
	rc=0
	"$tool" "$@" --json >/tmp/json || rc=$?
	sed 's/^/# json: /' /tmp/json
}
said() { grep -q -- "$1" "$said"; }

hold() {
	# What the last one said must not be taken for this one's.
	: >/tmp/exposed
	/tests/bpf/exposed --variant "$1" >/tmp/exposed 2>&1 &
	exposed=$!
	eventually 20 grep -q 'is loaded' /tmp/exposed || bail "$1: $(cat /tmp/exposed)"
}
let_go() {
	kill "$exposed"
	wait "$exposed" 2>/dev/null
	# The kernel frees maps and programs a grace period later.
	sleep 0.5
}

# exposure VARIANT VERDICT [WORDS]: what it says of one program
exposure() {
	hold "$1"
	run exposure exposure
	check "exposure: $1: $2" said "^$2:"
	if [ "$2" = exposed ]; then
		check "exposure: $1: exit status 1" test "$rc" -eq 1
	else
		check "exposure: $1: exit status 0" test "$rc" -eq 0
	fi
	[ -z "${3:-}" ] || check "exposure: $1: says '$3'" said "$3"
	check "exposure: $1: names the owner" said "exposed ($exposed)"
	if [ "$1" = release ]; then
		json exposure
		check "exposure: $1: the same as JSON" grep -q "^{\"verdict\":\"$2\"" /tmp/json
	fi
	let_go
}

# In NMI: what the guard defers, if there is one.
if guard_wanted; then deferred=guarded; else deferred=exposed; fi
# Since 7.2 the kernel leaves values alone in NMI.
if kernel_cancels; then updated='not exposed'; else updated=$deferred; fi

hooks_before
if guard_wanted; then
	check 'modprobe' guard_load
else
	run status status
	check 'status: not loaded' said '^not loaded:'
	check 'status: exit status 1' test "$rc" -eq 1
	json status
	run nagios status --nagios
	check 'nagios: critical' test "$rc" -eq 2
	run prometheus status --prometheus
	check 'prometheus: exit status 0' test "$rc" -eq 0
	check 'prometheus: not loaded' said '^kptr_nmi_guard_loaded 0$'
	sed 's/^/# prom: /' "$said"
	run verify verify
	check 'verify: nothing to prove' test "$rc" -eq 2
	check 'verify: says what to do' said 'modprobe kptr_nmi_guard'
	json verify
	check 'verify: the same as JSON' test "$rc" -eq 2
fi

run exposure exposure
check 'exposure: nothing is loaded: not exposed' said '^not exposed:'
exposure update "$updated" "exp_array (array, 8 entries) .task: kptr task_struct"
exposure release "$deferred" 'calls bpf_task_release()'
# Worst first: the map that this program uses, by name, then the others.
check 'exposure: release: its map comes first' \
	test "$(grep -o 'exp_[a-z]* (' /tmp/exposure | head -n 1)" = 'exp_array ('
check 'exposure: release: with the program' said "program: [0-9]* on_release, $deferred"
check 'exposure: release: then maps that it does not use' \
	test "$(sed -n '/^Other maps/,$p' /tmp/exposure | grep -c 'exp_lru (')" -eq 1
exposure perf_event "$updated" 'a breakpoint counts as an NMI'
if kernel_cancels; then
	exposure lru 'not exposed'
	exposure storage 'not exposed'
else
	exposure storage "$deferred" 'deletes local storage of map'
	exposure lru "$deferred" 'hangs in spite of the guard: map .*: the LRU lock is taken'
fi
# What a program reaches by a map only
exposure inner "$updated" 'exp_inner (array, 8 entries) .task: kptr task_struct'
exposure tail "$updated" 'called from there by program [0-9]* (tail call)'
# Functions that the NMI's handlers call
exposure fentry "$updated" 'a hardware counter has overflown'
exposure kprobe "$updated" 'a hardware counter has overflown'
exposure multi "$updated" 'a hardware counter has overflown'
exposure plain 'not exposed' 'tp_btf\|tracing at nmi_handler\|nmi_handler'
exposure syscall 'not exposed' 'exp_array'
check 'exposure: syscall: its map is not among those of programs in NMI' \
	test "$(sed -n '/^Other maps/,$p' /tmp/exposure | grep -c exp_array)" -eq 1
# With interrupts off: only defer=irqsoff does.
exposure software exposed 'defer=irqsoff'
exposure sched exposed 'the scheduler holds the runqueue lock'

if guard_wanted; then
	run status status
	check 'status: ok' said '^ok:'
	check 'status: exit status 0' test "$rc" -eq 0
	json status
	run nagios status --nagios
	check 'nagios: OK' said '^KPTR_NMI_GUARD OK - ok | pending=0 '
	check 'nagios: exit status 0' test "$rc" -eq 0
	run prometheus status --prometheus --output /tmp/kng.prom
	check 'prometheus: a file, and nothing beside it' test "$(ls /tmp/kng.prom*)" = /tmp/kng.prom
	check 'prometheus: healthy' grep -q '^kptr_nmi_guard_healthy 1$' /tmp/kng.prom
	sed 's/^/# prom: /' /tmp/kng.prom

	run verify verify
	check 'verify: proved' said '^proved:'
	check 'verify: exit status 0' test "$rc" -eq 0
	check 'verify: by a breakpoint (no counter here)' said 'source: a hardware breakpoint'
	json verify
	check 'verify: 32 rounds' grep -q '"rounds":32,"overwritten":128,"released":128' /tmp/json
	run top top --count 2
	check 'top: two looks' test "$(grep -c '^ok' "$said")" -eq 2
	json top --count 1
	check 'no colour in a file' not grep -q "$(printf '\033')" /tmp/status /tmp/top

	# Without root: what is there to be seen, and a word about the rest.
	rc=0
	busybox su nobody -c "$tool status" >/tmp/nobody 2>&1 || rc=$?
	sed 's/^/#   | /' /tmp/nobody
	said=/tmp/nobody
	if [ -d /sys/module/kptr_nmi_guard/stats ]; then
		check 'status without root: ok' test "$rc" -eq 0
	else
		check 'status without root: says that it is loaded, and what it lacks' \
			said 'is loaded; how it fares'
		check 'status without root: exit status 2' test "$rc" -eq 2
	fi
	rc=0
	busybox su nobody -c "$tool verify" >/tmp/nobody 2>&1 || rc=$?
	check 'verify without root: exit status 2' test "$rc" -eq 2
	check 'verify without root: says why' said 'verify needs root'
	rc=0
	busybox su nobody -c "$tool exposure" >/tmp/nobody 2>&1 || rc=$?
	sed 's/^/#   | /' /tmp/nobody
	check 'exposure without root: unknown' said '^unknown:'
	check 'exposure without root: says why' said 'run as root'
	check 'exposure without root: exit status 2' test "$rc" -eq 2
	check 'rmmod' guard_unload

	check 'defer=irqsoff' guard_load defer=irqsoff
	exposure sched guarded
	exposure software guarded
	run verify verify
	check 'verify: proved with defer=irqsoff' test "$rc" -eq 0
	check 'rmmod' guard_unload

	# Too few jobs: it says so, and its own remedy cures it.
	check 'too few jobs' guard_load jobs=64 headroom=0 max_jobs=64
	check 'a map with more room' map_made array
	eventually 10 stat_positive shortfall
	run status status
	check 'status: degraded' said '^degraded:'
	check 'status: exit status 1' test "$rc" -eq 1
	check 'status: names it' said 'shortfall='
	line=$(sed -n 's/^    options kptr_nmi_guard //p' "$said")
	check 'status: has a line for modprobe.d' test -n "$line"
	json status
	run nagios status --nagios
	check 'nagios: warning' test "$rc" -eq 1
	check 'rmmod' guard_unload
	# shellcheck disable=SC2086 # words
	check "loaded with $line" guard_load $line
	run status status
	check 'status: cured' test "$rc" -eq 0
	map_ends array
	check 'rmmod' guard_unload
	check 'hooks gone' unhooked
fi
finish
