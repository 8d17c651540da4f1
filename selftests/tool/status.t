#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kptr-nmi-guard status, top and doctor on this machine: a made-up /sys stands for
# modules in each state, those of the future included. No root, no boot.

set -u
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tool=$("$TOP/scripts/tool")/kptr-nmi-guard || exit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sys=$work/sys/module/kptr_nmi_guard
N=0

# The guard's counters, as its own header names them
counters=$(sed -n 's/.*= "\([a-z_]*\)",.*/\1/p' "$TOP/include/kng_counters.h")

check() {
	local what=$1
	shift
	N=$((N + 1))
	if "$@"; then
		echo "ok $N - $what"
	else
		echo "not ok $N - $what"
		echo "#   false: $*"
		sed 's/^/#   | /' "$work/out"
	fi
}
# run STATUS OPTION...: its exit status has to be that
run() {
	local want=$1 rc=0
	shift
	"$tool" "$@" >"$work/out" 2>&1 || rc=$?
	check "$*: exit status $want" test "$rc" -eq "$want"
}
not() { ! "$@"; }
says() { grep -Eq -- "$1" "$work/out"; }
# shellcheck disable=SC2016 # perl's, not the shell's
parses() { perl -MJSON::PP -0777 -ne 'decode_json($_)' "${1:-$work/out}"; }

# module HEALTH [NAME=VALUE]...: as the module would say it
module() {
	local pair name
	rm -rf "$work/sys"
	mkdir -p "$sys/stats" "$sys/parameters"
	echo 0.1.0 >"$sys/version"
	[ -z "$1" ] || echo "$1" >"$sys/health"
	shift
	for name in $counters; do
		echo 0 >"$sys/stats/$name"
	done
	for pair in hook=ftrace defer=nmi on_empty=leak reserve=capacity door_teardown=open \
		'door_release_task_struct=destructor and release' jobs_total=4096 jobs_idle=4096 \
		pending=0 peak_pending=0 longest_run=0 maps_watched=1 maps_unwatched=0 reserved=8 \
		references=0 headroom=2048 wanted=4096 shortfall=0 missed=0 "$@"; do
		echo "${pair#*=}" >"$sys/stats/${pair%%=*}"
	done
	echo 4096 >"$sys/parameters/max_jobs"
	echo 2048 >"$sys/parameters/headroom"
}
status() {
	local want=$1
	shift
	run "$want" status --root "$work" "$@"
}

mkdir -p "$work/sys/module"
status 1
check 'not loaded: says so' says '^not loaded:'
status 2 --nagios
check 'not loaded: critical' says '^KPTR_NMI_GUARD CRITICAL'
status 1 --json
check 'not loaded: JSON' parses
status 0 --prometheus
check 'not loaded: a metric' says '^kptr_nmi_guard_loaded 0$'
run 2 top --root "$work" --count 1
check 'not loaded: top says so' says '^unknown: the module is not loaded'
run 2 top --root "$work" --count 1 --json
check 'not loaded: top: JSON' parses

# No sysfs stats, and no debugfs: it is loaded, and that is all.
mkdir -p "$sys"
status 2
check 'not readable: says what would help' says 'debugfs has to be mounted'
status 3 --nagios
status 0 --prometheus
check 'not readable: no verdict' not says healthy
status 2 --json
check 'not readable: JSON' parses

module ok
status 0
check 'ok' says '^ok: kptr_nmi_guard 0.1.0'
status 0 --nagios
status 0 --json
check 'ok: JSON' parses
check 'ok: numbers are numbers' says '"jobs_total":4096'
check 'no colour where there is no terminal' not says "$(printf '\033')"
run 0 top --root "$work" --count 2 --seconds 1 --json
check 'top: two objects, one a line' test "$(grep -c '^{.*}$' "$work/out")" -eq 2
run 0 top --root "$work" --count 1

# The module's own word counts, also about what the tool has never heard of.
module 'degraded: shortfall=1822, door_release_cgroup=destructor, strange=7' shortfall=1822 wanted=5918
status 1
check 'degraded: says so' says '^degraded:'
check 'degraded: each fault' says 'strange=7: See kptr_nmi_guard'
check 'degraded: what to do' says '^    options kptr_nmi_guard max_jobs=8192$'
status 1 --nagios
check 'degraded: in one line' says 'shortfall=1822, door_release_cgroup=destructor, strange=7 \|'
status 1 --json
check 'degraded: JSON' parses
check 'degraded: the line is in it' says '"modprobe_options":"options kptr_nmi_guard max_jobs=8192"'
status 0 --prometheus
check 'degraded: a metric' says '^kptr_nmi_guard_healthy 0$'
# What health can say, the command explains.
mapfile -t facts < <(sed -n 's/.*fact(m, "\([a-z_]*\)".*/\1/p; s/.*{ KNG_[A-Z_]*, "\([a-z_]*\)" },$/\1/p; s/.*", \([a-z_]*\)=.*/\1/p' "$TOP/module/health.c")
unexplained=()
for fact in "${facts[@]}"; do
	module "degraded: $fact=new maps only" jobs_total=1
	status 1
	! says "$fact=new maps only: See kptr_nmi_guard" || unexplained+=("$fact")
	says "$fact=new maps only: " || unexplained+=("$fact")
done
check "degraded: ${#facts[@]} faults, each explained (not: ${unexplained[*]:-none})" \
	test "${#facts[@]}" -gt 12 -a "${#unexplained[@]}" -eq 0
module 'degraded: empty=3' empty=3 peak_pending=9000
status 1
check 'empty: more headroom' says '^    options kptr_nmi_guard headroom=32768$'

# Without such a word it is worked out here: each of these counts.
for name in shortfall maps_unwatched empty table_full leaked inlined missed refused kept bypassed bad_context; do
	module '' "$name=1"
	status 1
	check "$name=1: degraded" says "^  $name=1: [A-Z]"
done
module '' door_release_cgroup=none
status 1
check 'a door that could not be hooked: degraded' says '^  door_release_cgroup=none: The function'
module ''
status 0

# The time that references wait, as a histogram
module ok delay_max_us=300 delay_below_1us=5 delay_below_512us=2 delay_below_1ms=0 \
	delay_below_2us=3 delay_below_1s=0 delay_below_forever=1
mkdir -p "$work/sys/kernel/debug/kptr_nmi_guard"
printf 'run: 11\nrun_of_bpf_task_release_dtor: 11\n' >"$work/sys/kernel/debug/kptr_nmi_guard/stats"
status 0 --prometheus
check 'buckets are in order, and add up' test "$(sed -n 's/^kptr_nmi_guard_delay_seconds_bucket//p' "$work/out" | tr -d '\n')" = \
	'{le="1e-06"} 5{le="2e-06"} 8{le="0.000512"} 10{le="0.001"} 10{le="1"} 10{le="+Inf"} 11'
check 'so does the count' says '^kptr_nmi_guard_delay_seconds_count 11$'
check 'the maximum is in seconds' says '^kptr_nmi_guard_delay_max_seconds 0.0003$'
check 'runs per destructor, from debugfs' says '^kptr_nmi_guard_destructor_runs_total\{destructor="bpf_task_release_dtor"\} 11$'
check 'what sysfs has is not taken twice' says '^kptr_nmi_guard_run_total 0$'
cp "$work/out" "$work/histogram"

# Metrics: each counter has one; rules and dashboard use no other names.
status 0 --prometheus --output "$work/metrics"
check '--output: nothing on stdout' test ! -s "$work/out"
run 2 status --root "$work" --prometheus --output "$work/no/such/directory"
for name in $counters; do
	check "a metric for $name" grep -q "^kptr_nmi_guard_${name}_total 0$" "$work/metrics"
done
for file in alerts.yml dashboard.json; do
	names=$(grep -o 'kptr_nmi_guard_[a-z_]*' "$TOP/monitoring/$file" | sort -u)
	for name in $names; do
		[ "$name" = kptr_nmi_guard_ ] ||
			check "$file: there is a metric $name" grep -q "^${name}[ {]" "$work/metrics"
	done
done
check 'dashboard.json parses' parses "$TOP/monitoring/dashboard.json"

# What it can't understand
run 2
run 2 nonsense
run 2 status --nonsense
run 2 status --json --nagios
run 2 top --seconds 0
run 2 exposure --nagios
run 2 status too many
run 0 --help
check '--help names each command' test "$(grep -cE '^  (doctor|exposure|verify|status|top) ' "$work/out")" -eq 5
run 0 --version

# Pressing Tab: what bash would offer
offers() {
	# shellcheck disable=SC2016 # the inner shell's
	bash --norc -c '. "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _kptr_nmi_guard; echo "${COMPREPLY[*]}"' \
		bash "$TOP/tools/completion.bash" "$@" >"$work/out" 2>&1
}
offers kptr-nmi-guard st
check 'completion: a command' test "$(<"$work/out")" = status
offers kptr-nmi-guard status --p
check 'completion: its options' test "$(<"$work/out")" = --prometheus
offers kptr-nmi-guard verify --n
check 'completion: and not those of others' test -z "$(<"$work/out")"

# Each alert has a line that says what to do.
sed -n 's/^ *- alert: //p' "$TOP/monitoring/alerts.yml" | sort >"$work/alerts"
grep -ow 'KptrNmiGuard[A-Za-z]*' "$TOP/docs/operate.md" | sort -u >"$work/out"
check 'operate.md has each alert' cmp -s "$work/alerts" "$work/out"

# The completion knows each option of --help, and no other.
"$tool" --help | grep -o -- '--[a-z]*' | grep -vx -- '--help\|--version' | sort -u >"$work/help"
grep -o -- '--[a-z]*' "$TOP/tools/completion.bash" | grep -vx -- '--help\|--version\|--first\|--' | sort -u >"$work/out"
check 'completion and --help have the same options' cmp -s "$work/help" "$work/out"

# promtool comes with Debian's prometheus, which is not small: only where it is.
if command -v promtool >/dev/null; then
	prom() { promtool "$@" >"$work/out" 2>&1; }
	check 'promtool check metrics' prom check metrics <"$work/metrics"
	check 'promtool: not a word' test ! -s "$work/out"
	check 'promtool check metrics: the histogram' prom check metrics <"$work/histogram"
	check 'promtool check rules' prom check rules "$TOP/monitoring/alerts.yml"
	check 'promtool test rules' prom test rules "$TOP/monitoring/alerts_test.yml"
else
	N=$((N + 1))
	echo "ok $N - metrics and rules # SKIP no promtool: apt-get install prometheus"
fi
echo "1..$N"
