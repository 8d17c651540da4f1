# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# arm64 with pseudo-NMI: a perf_event program on CPU cycles, whose interrupt is an NMI. The
# first one is aimed at a function whose caller holds a lock: the bare kernel hangs.

last() { /tests/bpf/progtypes --variant pmu --last --rounds 32 "$@"; }
expect=stub
guard_wanted || expect=any

# aimed SITE: the guard, too, where it is wanted
aimed() {
	test_module kng_nmi_at "at=$1" pmu=Y
	guard_begin
}
# aimed_end REFERENCES
aimed_end() {
	check 'the PMU was made to overflow' test "$(cat "$DBG/kng_nmi_at/handled")" -ge 32
	check 'each interrupt came where it was aimed' test "$(cat "$DBG/kng_nmi_at/late")" -eq 0
	if guard_wanted; then
		check 'all of them were taken, in NMI' stat_is taken "$1"
		check 'none with interrupts off only' stat_is seen_irqsoff 0
	fi
	guard_worked
	guard_end
	/sbin/rmmod kng_nmi_at
}

# Else a handler that takes long, as in an emulator that gets little time, makes perf allow
# fewer of them: one that comes too soon stops the counter until the next tick, for which
# code with interrupts off would wait in vain.
echo 0 >/proc/sys/kernel/perf_cpu_time_max_percent
check 'pseudo-NMIs are on' sh -c 'dmesg | grep -q "Pseudo-NMIs enabled"'
test_module kng_witness
aimed rcu_segcblist_enqueue
check 'aimed: a task, by its release' last --source at --release --expect-nmi $expect
check 'aimed: a task, by a map' last --source at --expect-nmi $expect
aimed_end $((2 * 32 * 8))
aimed pwq_tryinc_nr_active
check 'aimed: a cgroup, by its release' last --source at --kptr cgroup --release --expect-nmi $expect
aimed_end $((32 * 8))

guard_begin
check 'anywhere: a task, by its release' last --period-us 200 --release --expect-nmi $expect
check 'anywhere: a cgroup, by a map' last --period-us 200 --kptr cgroup --expect-nmi $expect
guard_worked
guard_end

# An SError inside the PMU's NMI, in the middle of the guard's work, which takes a
# reference on the module of the type: one of 8 objects is dropped in the outer NMI, and
# 7 in the inner one.
# nested PARAM...: with these parameters of the guard
nested() {
	guard_begin teardown=always "$@"
	echo 1000000 >"$DBG/kng_nmi_at/armed"
	check 'an SError inside the PMU NMI, while the guard is at work' \
		/tests/bpf/within --variant nmi --source at --period-us 200 --rounds 16 --expect-nmi 0
	check 'what was dropped there was an entry that is nested' stat_is nested $((16 * 7))
	check 'all of them were taken' stat_is taken $((16 * 8))
	check 'all of them were seen, in NMI' stat_is seen_nmi $((16 * 8))
	check 'no reference is left' eventually 20 stat_is references 0
	guard_end nested
}
if guard_wanted; then
	test_module kng_foreign
	test_module kng_nmi_at at=try_module_get inside=Y
	nested
	nested reserve=exact
fi
finish
