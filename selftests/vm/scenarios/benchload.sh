# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# For scripts/bench: how long it takes to load and unload the guard, in ms.

sleep 1
# Read once: the file is in memory then.
guard_load && guard_unload

cycle() {
	config=$1
	shift
	for n in 1 2 3; do
		check "$config: load $n" /tests/bpf/bench "$config" time "load-$n" \
			/bin/modprobe kptr_nmi_guard "$@"
		check "$config: unload $n" /tests/bpf/bench "$config" time "unload-$n" \
			/bin/rmmod kptr_nmi_guard
	done
}

cycle auto
cycle always teardown=always
cycle exact reserve=exact
finish
