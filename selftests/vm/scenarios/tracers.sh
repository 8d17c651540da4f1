# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# BPF's fentry and fexit on every function that the guard hooks, attached before
# the guard comes and after, gone before it goes and after: both work.

if kernel_cancels; then paths=2; else paths=6; fi
trace() {
	/tests/bpf/tracers --variant "$1" >/tmp/tracers.out 2>&1 &
	tracers=$!
	eventually 30 grep -q '^# attached' /tmp/tracers.out
}
# Each traced function was seen by each program: its TAP.
traced() {
	kill "$tracers"
	ended "$tracers" /tmp/tracers.out
}
run() {
	program=$1
	shift
	"/tests/bpf/$program" --rounds 4 --last "$@"
}
# $1: what to expect of destructors in NMI, besides that their work isn't done
every_path() {
	check 'task teardown' run teardown --map array --expect-nmi "$1"
	check 'cgroup teardown' run teardown --map "$(usable_maps hash array | head -n 1)" --kptr cgroup --expect-nmi "$1"
	check 'crypto context teardown' run crypto --expect-nmi "$1"
	check 'cpumask teardown' run teardown --map array --kptr cpumask --expect-nmi "$2"
	check 'task release' run release --expect-nmi stub
	check 'cgroup release' run release --kptr cgroup --expect-nmi stub
	check 'all of it was taken' stat_is taken $((paths * 4 * 8))
}

# Both doors: destructors are not even entered in NMI.
both_doors() {
	check 'fentry and fexit attach' trace both
	guard_begin teardown=always
	every_path 0 0
	guard_end
	check 'they traced all of it' traced
}

# Only the release door: it diverts the traced destructors themselves.
release_door() {
	for variant in fentry fexit; do
		check "$variant attaches" trace $variant
		guard_begin teardown=needed
		every_path stub stub
		guard_end
		check "before the guard: $variant traced all of it" traced

		guard_begin teardown=needed
		check "$variant attaches to what is hooked" trace $variant
		every_path stub stub
		check "after the guard: $variant traced all of it" traced
		guard_end
	done
}

# The guard goes first.
guard_first() {
	hooks_before
	check 'modprobe' guard_load teardown=always
	check 'fentry and fexit attach' trace both
	every_path 0 0
	check 'rmmod' guard_unload
	check 'a program without NMIs' /tests/bpf/teardown --map array --source none --rounds 8
	check 'fentry and fexit outlived the guard' traced
	check 'hooks gone' unhooked
}

test_module kng_witness
test_module kng_nmi_fire
parts both_doors release_door guard_first
finish
