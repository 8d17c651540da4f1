# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# For scripts/bench: lines "bench CONFIG ROW VALUE", one CPU, instructions counted.
# ARGS: the configurations, "bare" or parameters of the guard.

test_module kng_bench
# What follows must not be told from what booting left over.
sleep 1

with_guard() {
	config=$1
	shift
	guard_load "$@" || bail "modprobe $*"
	/tests/bpf/bench --variant "$config" || bail "bench $config"
	eventually 20 quiet
	check "$config: all came back" sums_hold
	guard_unload
}

check 'bare' /tests/bpf/bench --variant bare
with_guard auto
with_guard always teardown=always
with_guard needed teardown=needed
with_guard irqsoff defer=irqsoff
with_guard exact reserve=exact
finish
