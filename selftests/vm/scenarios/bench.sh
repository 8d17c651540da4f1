# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# For scripts/bench: lines "bench CONFIG ROW VALUE", one CPU, instructions counted.
# ARGS: "quick", or nothing: then also what grows with the number of maps and jobs.

test_module kng_bench
# What booting left over comes first.
sleep 1

# measured CONFIG WHAT...
measured() { check "$*" /tests/bpf/bench "$@"; }

# with_guard CONFIG PARAM...: loaded for what follows
with_guard() {
	config=$1
	shift
	guard_load "$@" || bail "modprobe $*"
}

without_guard() {
	eventually 20 quiet
	note "$config: door_teardown $(stat door_teardown), run $(stat run)"
	check "$config: all came back" sums_hold
	guard_unload
}

calls() {
	with_guard "$@"
	measured "$1" calls
	without_guard
}

measured bare calls
measured bare peers
calls auto
calls always teardown=always
calls needed teardown=needed
calls irqsoff defer=irqsoff
calls exact reserve=exact
calls ftrace reserve=exact hook=ftrace

if [ "$ARGS" != quick ]; then
	measured bare maps
	with_guard auto
	measured auto maps
	without_guard

	with_guard auto jobs=1048576
	echo "bench auto bytes-per-job $(awk -v jobs="$(stat jobs_total)" '
		/kng_pool_grow|alloc_chunk/ { bytes += $2 - 4096 }
		END { print bytes / jobs }' /proc/vmallocinfo)"
	for n in 1 10 100 1000 10000 100000 1000000; do
		measured auto burst $n
	done
	without_guard
	# So few that the irq_work goes on past its budget.
	with_guard starved jobs=1024 headroom=0 max_jobs=1024
	measured starved burst 1000
	without_guard
fi
finish
